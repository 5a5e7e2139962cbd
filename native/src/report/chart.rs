//! Line charts as SVG.

use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::{
    drawing::Drawing,
    scale::{Fitted, Scale},
};

/// Size of the drawing and of the margins around the plot area, in SVG units.
const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 290.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 14.0;
const BOTTOM: f64 = 48.0;

/// Colours in `plot.css` before they repeat, after Okabe and Ito.
const COLOURS: usize = 7;

/// Dash patterns: series differ without colour as well.
const DASHES: [&str; 4] = ["none", "7 5", "2 5", "10 4 2 4"];

/// Up to this many points, each gets a dot.
const DOTS: usize = 24;

/// One axis.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Axis {
    /// What it shows.
    pub label: String,
    /// Unit, written in parentheses after the label; empty for none.
    pub unit: String,
    /// Division.
    pub scale: Scale,
    /// Lowest and highest value; by default what the data needs.
    pub range: Option<[f64; 2]>,
    /// Whether it counts something, so that only whole numbers get a tick.
    pub whole: bool,
}

impl Axis {
    /// A linear axis that fits its data.
    pub fn new(label: impl Into<String>, unit: impl Into<String>) -> Self {
        Self { label: label.into(), unit: unit.into(), ..Self::default() }
    }

    /// A linear axis of whole numbers.
    pub fn counting(label: impl Into<String>, unit: impl Into<String>) -> Self {
        Self { whole: true, ..Self::new(label, unit) }
    }

    fn text(&self) -> String {
        if self.unit.is_empty() { self.label.clone() } else { format!("{} ({})", self.label, self.unit) }
    }
}

/// One line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Name in the legend.
    pub name: String,
    /// Points in the order they are joined; a missing or not finite value leaves a gap.
    pub points: Vec<(f64, Option<f64>)>,
    /// Half lengths of the error bars, one a point; empty for none.
    #[serde(default)]
    pub spread: Vec<f64>,
    /// How the points are shown.
    #[serde(default)]
    pub style: Style,
}

/// How the points of a series are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Style {
    /// Joined by a line.
    #[default]
    Line,
    /// Joined by a thin pale line, to stand behind a series of the same colour: the next one.
    Faint,
    /// Joined by a line without dots, however few: a limit to compare with.
    Plain,
    /// Dots alone.
    Dots,
}

/// A line chart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Chart {
    /// Heading.
    pub title: String,
    /// What to see in it, below the chart on a page.
    pub caption: String,
    /// Horizontal axis.
    pub x: Axis,
    /// Vertical axis.
    pub y: Axis,
    /// Lines.
    pub series: Vec<Series>,
}

/// The chart as an element of a page.
pub(super) fn draw(chart: &Chart) -> Markup {
    drawing(chart).element(false)
}

/// What is drawn, without the element around it.
pub(super) fn drawing(chart: &Chart) -> Drawing {
    let legend = legend_places(&chart.series);
    let top = 34.0 + legend.last().map_or(0.0, |place| place.1 + 22.0);
    let height = HEIGHT + top - 34.0;
    let points = || chart.series.iter().flat_map(|series| &series.points);
    let x = Fitted::new(chart.x.scale, chart.x.range, points().filter(|p| p.1.is_some()).map(|p| p.0));
    let y = Fitted::new(chart.y.scale, chart.y.range, chart.series.iter().flat_map(extent));
    let y = if chart.y.range.is_some() { y } else { y.map(Fitted::rounded) };
    let (right, bottom) = (WIDTH - RIGHT, height - BOTTOM);
    let middle = [(LEFT + right) / 2.0, (top + bottom) / 2.0].map(short);
    let colours = colours(&chart.series);
    let shown = || chart.series.iter().zip(&colours);
    let content = html! {
        text.title x="14" y="20" { (chart.title) }
        @for ((series, colour), (left, down)) in shown().zip(&legend) {
            @let (from, to, y) = (LEFT + left, LEFT + left + 24.0, down + 40.0);
            @if series.style == Style::Dots {
                circle.{ "s" (colour) } r="2.6" cx=(from + 12.0) cy=(y) {}
            } @else {
                line.line.{ "s" (colour) }.faint[series.style == Style::Faint] stroke-dasharray=(dash(*colour, series))
                    x1=(from) x2=(to) y1=(y) y2=(y) {}
            }
            text x=(LEFT + left + 31.0) y=(down + 44.5) { (series.name) }
        }
        @if let (Some(x), Some(y)) = (x, y) {
            @for (at, text) in placed(&y, &chart.y, bottom, top) {
                line.grid x1=(LEFT) x2=(right) y1=(at) y2=(at) {}
                text.soft x=(LEFT - 8.0) y={ (at) } dy="4.5" text-anchor="end" { (text) }
            }
            @for (at, text) in placed(&x, &chart.x, LEFT, right) {
                line.axis x1=(at) x2=(at) y1=(bottom) y2=(bottom + 5.0) {}
                text.soft x=(at) y=(bottom + 19.0) text-anchor="middle" { (text) }
            }
            line.axis x1=(LEFT) x2=(right) y1=(bottom) y2=(bottom) {}
            // A nested drawing clips what lies outside a fixed range; its border leaves room for thick lines.
            svg x=(LEFT - 4.0) y=(top - 4.0) width=(right - LEFT + 8.0) height=(bottom - top + 8.0)
                viewBox={ (LEFT - 4.0) " " (top - 4.0) " " (right - LEFT + 8.0) " " (bottom - top + 8.0) } {
                @for (series, colour) in shown() {
                    @let place = |px, py| Some((
                        LEFT + x.place(px)? * (right - LEFT),
                        bottom - y.place(py)? * (bottom - top),
                    ));
                    @let runs = runs(series, place);
                    @if series.style != Style::Dots {
                        path.line.{ "s" (colour) }.faint[series.style == Style::Faint]
                            stroke-dasharray=(dash(*colour, series)) d=(path(&runs)) {}
                    }
                    path.line.{ "s" (colour) } d=(whiskers(series, place)) {}
                    @for (cx, cy) in runs.iter().filter(|run| dotted(series, run)).flatten() {
                        circle.{ "s" (colour) } r=(dot_radius(series)) cx=(short(*cx)) cy=(short(*cy)) {}
                    }
                }
            }
        } @else {
            text.soft x=(middle[0]) y=(middle[1]) text-anchor="middle" { "No data" }
        }
        text x=(middle[0]) y=(height - 10.0) text-anchor="middle" { (chart.x.text()) }
        text x="14" y=(middle[1]) text-anchor="middle" transform={ "rotate(-90 14 " (middle[1]) ")" } dy="4" {
            (chart.y.text())
        }
    };
    Drawing { content, width: WIDTH, height, spoken: spoken(chart) }
}

/// The values of a series with the ends of its error bars.
fn extent(series: &Series) -> impl Iterator<Item = f64> {
    let half = |n: usize| series.spread.get(n).copied().unwrap_or(0.0);
    let ends = move |(n, point): (usize, &(f64, Option<f64>))| point.1.map(|y| [y - half(n), y + half(n)]);
    series.points.iter().enumerate().filter_map(ends).flatten()
}

/// For readers who hear the chart: each line's ends.
fn spoken(chart: &Chart) -> String {
    let mut text = format!("Line chart: {}. {} over {}.", chart.title, chart.y.text(), chart.x.text());
    for series in &chart.series {
        let mut values = series.points.iter().filter_map(|point| point.1).filter(|value| value.is_finite());
        if let Some(first) = values.next() {
            text += &format!(" {}: from {first:.4} to {:.4}.", series.name, values.next_back().unwrap_or(first));
        }
    }
    text
}

/// Offsets of the legend's entries, in rows that fit the width; text is measured by its number of letters.
fn legend_places(series: &[Series]) -> Vec<(f64, f64)> {
    let (mut left, mut down) = (0.0, 0.0);
    let place = |series: &Series| {
        let width = 48.0 + 7.0 * series.name.chars().count() as f64;
        if left > 0.0 && left + width > WIDTH - LEFT {
            (left, down) = (0.0, down + 20.0);
        }
        let here = (left, down);
        left += width;
        here
    };
    series.iter().map(place).collect()
}

/// Positions and texts of an axis's ticks between two coordinates.
fn placed(fitted: &Fitted, axis: &Axis, from: f64, to: f64) -> Vec<(f64, String)> {
    let place = |(value, text): (f64, String)| {
        let text = match axis.whole {
            true if (value - value.round()).abs() > 1e-6 => return None,
            true => format!("{value:.0}"),
            false => text,
        };
        Some((short(from + fitted.place(value)? * (to - from)), text))
    };
    fitted.ticks().into_iter().filter_map(place).collect()
}

/// The series' points on the page, split at gaps.
fn runs(series: &Series, place: impl Fn(f64, f64) -> Option<(f64, f64)>) -> Vec<Vec<(f64, f64)>> {
    let places: Vec<_> = series.points.iter().map(|&(x, y)| place(x, y?)).collect();
    places
        .split(Option::is_none)
        .map(|run| run.iter().copied().flatten().collect())
        .filter(|run: &Vec<_>| !run.is_empty())
        .collect()
}

fn path(runs: &[Vec<(f64, f64)>]) -> String {
    let segment = |run: &Vec<(f64, f64)>| {
        let points: Vec<String> = run.iter().map(|(x, y)| format!("{} {}", short(*x), short(*y))).collect();
        format!("M{}", points.join("L"))
    };
    runs.iter().map(segment).collect()
}

/// A coordinate to a tenth: enough on screen, and short.
fn short(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn dash(colour: usize, series: &Series) -> &'static str {
    if series.style == Style::Faint { DASHES[0] } else { DASHES[colour % DASHES.len()] }
}

/// Number of each series' colour; a faint one has that of the next.
fn colours(series: &[Series]) -> Vec<usize> {
    let mut next = 0;
    let colour = |series: &Series| {
        let colour = next % COLOURS;
        next += usize::from(series.style != Style::Faint);
        colour
    };
    series.iter().map(colour).collect()
}

/// Whether the points of a run get dots: few points, a point alone, or nothing but dots.
fn dotted(series: &Series, run: &[(f64, f64)]) -> bool {
    match series.style {
        Style::Dots => true,
        Style::Line => run.len() == 1 || series.points.len() <= DOTS,
        Style::Faint | Style::Plain => false,
    }
}

/// Many dots are small ones.
fn dot_radius(series: &Series) -> f64 {
    if series.style == Style::Dots && series.points.len() > DOTS { 1.8 } else { 2.6 }
}

/// Error bars with end strokes, as one path.
fn whiskers(series: &Series, place: impl Fn(f64, f64) -> Option<(f64, f64)>) -> String {
    let bar = |(&(x, y), &half): (&(f64, Option<f64>), &f64)| {
        let (low, high) = (place(x, y? - half)?, place(x, y? + half)?);
        let ends = [low, high].map(|(x, y)| format!("M{} {}h6", short(x - 3.0), short(y)));
        (half > 0.0).then(|| format!("M{0} {1}V{2}{3}", short(low.0), short(low.1), short(high.1), ends.concat()))
    };
    series.points.iter().zip(&series.spread).filter_map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(points: Vec<(f64, Option<f64>)>) -> Chart {
        let series = vec![Series { name: "F1+ <train>".into(), points, ..Series::default() }];
        Chart { title: "Dice".into(), x: Axis::new("Epoch", ""), y: Axis::new("F1", "%"), series, ..Chart::default() }
    }

    #[test]
    fn missing_values_break_the_line() {
        let values = [Some(1.0), Some(2.0), None, Some(f64::NAN), Some(3.0), Some(4.0), None, Some(2.0)];
        let svg = draw(&chart((0..8).map(f64::from).zip(values).collect())).into_string();
        let d = svg.split(" d=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
        assert_eq!(d.matches('M').count(), 3, "{d}");
        assert_eq!(d.matches('L').count(), 2, "{d}");
        assert!(!svg.contains("NaN"));
    }

    #[test]
    fn labels_carry_units_and_are_escaped() {
        let svg = draw(&chart(vec![(0.0, Some(10.0)), (5.0, Some(90.0))])).into_string();
        assert!(svg.contains(">F1 (%)<") && svg.contains(">Epoch<"));
        assert!(svg.contains("F1+ &lt;train&gt;") && !svg.contains("<train>"));
    }

    #[test]
    fn error_bars_are_drawn_where_there_is_spread_and_widen_the_axis() {
        let mut chart = chart(vec![(0.0, Some(50.0)), (1.0, Some(60.0))]);
        assert!(!draw(&chart).into_string().contains("h6"));
        chart.series[0].spread = vec![20.0, 0.0];
        let svg = draw(&chart).into_string();
        assert_eq!(svg.matches("h6").count(), 2);
        assert!(svg.contains(">30<") && svg.contains(">70<"), "{svg}");
    }

    #[test]
    fn an_axis_that_counts_has_whole_ticks() {
        let mut chart = chart(vec![(1.0, Some(50.0)), (3.0, Some(60.0))]);
        assert!(draw(&chart).into_string().contains(">1.5<"));
        chart.x.whole = true;
        let svg = draw(&chart).into_string();
        assert!(svg.contains(">2<") && !svg.contains(">1.5<") && !svg.contains(">2.0<"), "{svg}");
    }

    #[test]
    fn a_faint_series_shares_the_colour_of_the_next() {
        let mut chart = chart(vec![(0.0, Some(1.0)), (1.0, Some(2.0))]);
        let line = chart.series[0].clone();
        chart.series = vec![Series { style: Style::Faint, ..line.clone() }, line.clone(), line];
        assert_eq!(colours(&chart.series), [0, 0, 1]);
    }

    #[test]
    fn nothing_to_draw_is_said() {
        assert!(draw(&chart(vec![])).into_string().contains("No data"));
        assert!(draw(&chart(vec![(1.0, None)])).into_string().contains("No data"));
    }
}
