"""The recipes as web pages: a client of the HTTP API that writes HTML."""

import re
#: when api/id_maker made_by == "client"
#: when api/ids kind == "int"
import secrets
#: else
import uuid
#: end
#: end
from collections.abc import Callable
from html import escape
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

Call = Callable[..., tuple[int, Any]]
"""call(method, target, value=None) -> (status, JSON value)."""

Response = tuple[int, dict[str, str], str]

PAGE = Template(Path(__file__).with_name("page.html").read_text("utf-8"))
TITLE_LIMIT = #{api/recipe title.limit}
DEFAULT_SERVINGS = #{api/recipe servings.default}
BEST_RATING = #{api/recipe rating.scale}
RECIPE = re.compile(r"/recipes/([^/]+)(/edit|/delete)?")


def pages(method: str, target: str, body: str, call: Call) -> Response:
    """Answer a browser: (status, headers, text)."""
    url = urlsplit(target)
    query = {name: values[-1] for name, values in parse_qs(url.query).items()}
    form = {name: values[-1] for name, values in parse_qs(body, keep_blank_values=True).items()}
    if url.path == "/" and method == "GET":
        return _home(query, call)
    if url.path == "/new":
        return _save("New recipe", "POST", "/api/recipes", form, call) if method == "POST" else _empty_form()
    if found := RECIPE.fullmatch(url.path):
        target = f"/api/recipes/{found[1]}"
        match method, found[2]:
            case "GET", None:
                return _about(target, call, _recipe)
            case "GET", "/edit":
                return _about(target, call, lambda recipe: _form("Edit recipe", _entered(recipe)))
            case "POST", "/edit":
                return _save("Edit recipe", "PUT", target, form, call)
            case "POST", "/delete":
                status, value = call("DELETE", target)
                return _failed(status, value) if status >= 400 else _go("/")
    return _html(404, "Nothing here", "<h1>Nothing here</h1>")


def _home(query: dict[str, str], call: Call) -> Response:
    words = query.get("q", "")
    #: when api/list shape == "list"
    status, value = call("GET", "/api/recipes?" + urlencode({"q": words}))
    if status >= 400:
        return _failed(status, value)
    recipes, total, more = value, len(value), ""
    #: else
    status, value = call("GET", "/api/recipes?" + urlencode({"q": words, "offset": query.get("offset", "0")}))
    if status >= 400:
        return _failed(status, value)
    recipes, total, more = value["recipes"], value["total"], ""
    if value["next"] is not None:
        following = escape("/?" + urlsplit(value["next"]).query)
        more = f'<p><a class="button quiet" rel="next" href="{following}">More recipes</a></p>'
    #: end
    items = "".join(
        f'<li><a href="/recipes/{recipe["id"]}">{escape(recipe["title"])}</a>{_facts(recipe)}</li>'
        for recipe in recipes
    )
    count = f"{total} recipe{'s' * (total != 1)}" if total or words else "No recipes yet: add the first one."
    search = (
        f'<form class="search"><input name="q" value="{escape(words)}" placeholder="Search in titles" '
        'aria-label="Search in titles"><button>Search</button></form>'
    )
    return _html(200, "Recipes", f'{search}<p class="facts">{count}</p><ul class="recipes">{items}</ul>{more}')


def _about(target: str, call: Call, write: Callable[[Any], str]) -> Response:
    status, value = call("GET", target)
    return _failed(status, value) if status >= 400 else _html(200, value["title"], write(value))


def _recipe(recipe: Any) -> str:
    ingredients = "".join(f"<li>{escape(line)}</li>" for line in recipe["ingredients"])
    here = f"/recipes/{recipe['id']}"
    return (
        f"<article><h1>{escape(recipe['title'])}</h1>{_facts(recipe)}<ul>{ingredients}</ul>"
        f'<p class="steps">{escape(recipe["steps"])}</p></article>'
        f'<form class="actions" method="post" action="{here}/delete"><a class="button" href="{here}/edit">Edit</a>'
        '<button class="quiet">Delete</button></form>'
    )


def _facts(recipe: Any) -> str:
    stars = ""
    if recipe["rating"] is not None:
        said = f"{recipe['rating']} of {BEST_RATING}"
        drawn = "★" * recipe["rating"] + "☆" * (BEST_RATING - recipe["rating"])
        stars = f' · <span class="stars" role="img" aria-label="rated {said}" title="{said}">{drawn}</span>'
    return f'<p class="facts">{_time(recipe["duration"])} · serves {recipe["servings"]}{stars}</p>'


def _save(title: str, method: str, target: str, form: dict[str, str], call: Call) -> Response:
    try:
        recipe = _from_form(form)
    except ValueError:
        return _html(400, title, _form(title, form, "Servings, hours and minutes are whole numbers."))
    #: when api/id_maker made_by == "client"
    if method == "POST":
        #: when api/ids kind == "int"
        recipe["id"] = secrets.randbelow(2**53 - 1) + 1
        #: else
        recipe["id"] = str(uuid.uuid4())
        #: end
    #: end
    status, value = call(method, target, recipe)
    if status >= 400:
        return _html(status, title, _form(title, form, _message(value)))
    return _go(f"/recipes/{value['id']}")


def _from_form(form: dict[str, str]) -> dict[str, Any]:
    hours, minutes = int(form.get("hours") or 0), int(form.get("minutes") or 0)
    #: when api/durations unit == "minutes"
    duration = hours * 60 + minutes
    #: else
    duration = hours * 3600 + minutes * 60 + int(form.get("seconds") or 0)
    #: end
    return {
        "title": form.get("title", ""),
        "servings": int(form.get("servings") or DEFAULT_SERVINGS),
        "duration": duration,
        "rating": int(form["rating"]) if form.get("rating") else None,
        "ingredients": [line.strip() for line in form.get("ingredients", "").splitlines() if line.strip()],
        "steps": form.get("steps", "").replace("\r\n", "\n"),
    }


def _entered(recipe: Any) -> dict[str, str]:
    """Return what somebody would have entered to get this recipe."""
    #: when api/durations unit == "minutes"
    hours, minutes = divmod(recipe["duration"], 60)
    #: else
    minutes, seconds = divmod(recipe["duration"], 60)
    hours, minutes = divmod(minutes, 60)
    #: end
    return {
        "title": recipe["title"],
        "servings": str(recipe["servings"]),
        "hours": str(hours),
        "minutes": str(minutes),
        #: when api/durations unit == "seconds"
        "seconds": str(seconds),
        #: end
        "rating": str(recipe["rating"] or ""),
        "ingredients": "\n".join(recipe["ingredients"]),
        "steps": recipe["steps"],
    }


def _empty_form() -> Response:
    usual = {"servings": str(DEFAULT_SERVINGS), "hours": "0", "minutes": "30"}
    return _html(200, "New recipe", _form("New recipe", usual))


def _form(title: str, entered: dict[str, str], error: str = "") -> str:
    def value(name: str) -> str:
        return escape(entered.get(name, ""))

    chosen = entered.get("rating", "")
    ratings = "".join(
        f'<option value="{rating}"{" selected" * (str(rating) == chosen)}>{rating} of {BEST_RATING}</option>'
        for rating in range(1, BEST_RATING + 1)
    )
    said = f'<p class="error" role="alert">{escape(error)}</p>' if error else ""
    return (
        f'<h1>{title}</h1>{said}<form class="recipe" method="post">'
        f'<label>Title<input name="title" required maxlength="{TITLE_LIMIT}" value="{value("title")}"></label>'
        '<div class="row">'
        f'<label>Servings<input name="servings" type="number" min="1" value="{value("servings")}"></label>'
        f'<label>Hours<input name="hours" type="number" min="0" value="{value("hours")}"></label>'
        f'<label>Minutes<input name="minutes" type="number" min="0" max="59" value="{value("minutes")}"></label>'
        #: when api/durations unit == "seconds"
        f'<label>Seconds<input name="seconds" type="number" min="0" max="59" value="{value("seconds")}"></label>'
        #: end
        f'<label>Rating<select name="rating"><option value="">not rated</option>{ratings}</select></label>'
        "</div>"
        f'<label>Ingredients, one a line<textarea name="ingredients" rows=6>\n{value("ingredients")}</textarea></label>'
        f'<label>Steps<textarea name="steps" rows=8>\n{value("steps")}</textarea></label>'
        '<div class="actions"><button>Save</button></div></form>'
    )


#: when api/durations unit == "minutes"
def _time(duration: int) -> str:
    hours, minutes = divmod(duration, 60)
    return " ".join(part for part in (f"{hours} h" * (hours > 0), f"{minutes} min" * (minutes > 0)) if part)
#: else
def _time(duration: int) -> str:
    minutes, seconds = divmod(duration, 60)
    hours, minutes = divmod(minutes, 60)
    parts = (f"{hours} h" * (hours > 0), f"{minutes} min" * (minutes > 0), f"{seconds} s" * (seconds > 0))
    return " ".join(part for part in parts if part)
#: end


def _message(value: Any) -> str:
    #: when api/errors shape == "text"
    return str(value["error"])
    #: else
    return "; ".join(str(error["message"]) for error in value["errors"])
    #: end


def _failed(status: int, value: Any) -> Response:
    return _html(status, "Not possible", f'<p class="error" role="alert">{escape(_message(value))}</p>')


def _go(target: str) -> Response:
    return 303, {"Location": target}, ""


def _html(status: int, title: str, content: str) -> Response:
    page = PAGE.substitute(title=escape(title), content=content)
    return status, {"Content-Type": "text/html; charset=utf-8"}, page
