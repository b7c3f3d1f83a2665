"""What a spec is: pure records and rules, without a clock, ids of their own or I/O."""
