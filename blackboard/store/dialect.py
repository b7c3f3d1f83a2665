"""What differs between engines, in one place."""

from sqlalchemy.dialects import sqlite
from sqlalchemy.engine.interfaces import Dialect

DIALECT: Dialect = sqlite.dialect(paramstyle="qmark")
