"""What each bar is measured against: hand-written scripts that import nothing of the product."""
