-- What "an app to track recipes" is taken to mean: the tables that it keeps.
CREATE TABLE recipe (
    id INTEGER PRIMARY KEY,
    title TEXT NOT NULL CHECK (length(title) > 0),
    servings INTEGER NOT NULL DEFAULT 4,
    minutes INTEGER,
    cooked_on DATE,
    steps TEXT NOT NULL DEFAULT ''
);
CREATE TABLE ingredient (
    id INTEGER PRIMARY KEY,
    recipe_id INTEGER NOT NULL REFERENCES recipe (id),
    name TEXT NOT NULL,
    amount REAL,
    unit TEXT
);
