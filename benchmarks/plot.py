"""The results as an SVG bar chart: CPU time per request, by route and service."""

from xml.sax.saxutils import escape

from benchmarks.environments import LAYERS
from benchmarks.results_file import Report
from benchmarks.services import DOCUMENTED_PATTERN, RAW_ASYNCPG
from benchmarks.targets import CLIENTS

COLORS = {
    RAW_ASYNCPG.name: "#8a8f98",
    **dict(zip(LAYERS, ("#2f7ed8", "#1a9e77"), strict=False)),
    DOCUMENTED_PATTERN.name: "#d9822b",
}
WIDTH, LEFT, RIGHT = 760, 120, 190
TOP, BAR, GAP = 64, 17, 16
# A gray that is readable on light and dark backgrounds.
TEXT = "#7d8590"


def draw(report: Report) -> str:
    """Draw a self-contained SVG."""
    found = {
        (route, service): report.spread("cpu_us", service, route, CLIENTS)
        for route in report.routes
        for service in COLORS
    }
    scale = (WIDTH - LEFT - RIGHT) / max(spread.high for spread in found.values() if spread)
    parts = [*_heading()]
    y = TOP
    for route in report.routes:
        parts.append(_label(LEFT - 10, y + 2 * BAR + 5, route, anchor="end"))
        raw = found[route, RAW_ASYNCPG.name]
        for service, color in COLORS.items():
            spread = found[route, service]
            if spread and raw:
                length, low, high = (value * scale for value in spread)
                middle = y + BAR / 2 - 1
                ratio = spread.median / raw.median
                parts += [
                    f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR - 2}" '
                    f'fill="{color}"/>',
                    f'<path d="M{LEFT + low:.1f} {middle}H{LEFT + high:.1f}" stroke="{TEXT}"/>',
                    _label(
                        round(LEFT + high + 6),
                        y + BAR - 5,
                        f"{spread.median:.0f} us, {ratio:.2f} x {RAW_ASYNCPG.name}",
                    ),
                ]
            y += BAR
        y += GAP
    return _document(y, parts)


def _heading() -> list[str]:
    title = f"CPU time of the server process per request, {CLIENTS} clients (lower is better)"
    parts = [_label(0, 16, title, size=14)]
    x = LEFT
    for service, color in COLORS.items():
        parts.append(f'<rect x="{x}" y="32" width="12" height="12" fill="{color}"/>')
        parts.append(_label(x + 18, 42, service))
        x += 130
    return parts


def _label(x: float, y: float, text: str, *, anchor: str = "start", size: int = 12) -> str:
    place = f'x="{x}" y="{y}" text-anchor="{anchor}" font-size="{size}"'
    return f"<text {place}>{escape(text)}</text>"


def _document(height: float, parts: list[str]) -> str:
    size = f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
    font = f'font-family="sans-serif" fill="{TEXT}"'
    body = "\n".join(parts)
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>\n{body}\n</svg>\n'
