# SPDX-License-Identifier: LGPL-2.1-only
"""Small pieces of HTML that the report's sections share."""

import html


def table(head: list[str], rows: list[list[str]], class_: str = "") -> str:
    """Cells are HTML already; one that starts with <td or <th is a whole one."""
    top = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    body = "".join("<tr>" + "".join(cell if cell.startswith(("<td", "<th")) else f"<td>{cell}</td>" for cell in row) + "</tr>"
                   for row in rows)
    return (f'<div class="scroll" tabindex="0"><table class="{class_}"><thead><tr>{top}</tr></thead><tbody>{body}</tbody>'
            "</table></div>")


def fold(title: str, content: str, open_: bool = False) -> str:
    return f"<details{' open' if open_ else ''}><summary>{html.escape(title)}</summary>{content}</details>"


def key(class_: str, text: str) -> str:
    """A square in the colour of a class, and what it stands for."""
    square = f'<svg class="key" viewBox="0 0 9 9" aria-hidden="true"><rect class="{class_}" width="9" height="9"/></svg>'
    return f'<span class="item">{square}{html.escape(text)}</span> '


def code(text: object) -> str:
    return f"<code>{html.escape(str(text))}</code>"
