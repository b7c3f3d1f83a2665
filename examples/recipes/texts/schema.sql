-- #: when draft/schema applied == "once"
-- The table of recipes, for a new database.
CREATE TABLE recipes (
-- #: else
-- The table of recipes. It is applied at every start, so it must leave a database that has it as it is.
CREATE TABLE IF NOT EXISTS recipes (
-- #: end
    -- #: when api/ids kind == "int"
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- #: else
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 36),
    -- #: end
    title TEXT NOT NULL CHECK (title <> ''),
    servings INTEGER NOT NULL CHECK (servings > 0),
    -- #: when api/durations unit == "minutes"
    duration_minutes INTEGER NOT NULL CHECK (duration_minutes > 0),
    -- #: else
    duration_seconds INTEGER NOT NULL CHECK (duration_seconds > 0),
    -- #: end
    rating INTEGER CHECK (rating BETWEEN 1 AND #{api/recipe rating.scale}), -- NULL: not rated yet
    ingredients TEXT NOT NULL, -- a JSON list of lines
    steps TEXT NOT NULL
);
