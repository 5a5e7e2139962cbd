//! One drawing, for a page, a file or a panel.

use maud::{Markup, PreEscaped, html};

use super::PLOT_CSS;

/// A drawing from the upper left corner on, without an element around it.
pub(super) struct Drawing {
    pub(super) content: Markup,
    pub(super) width: f64,
    pub(super) height: f64,
    /// The same for readers who hear it.
    pub(super) spoken: String,
}

impl Drawing {
    /// The drawing as an element; `alone` adds what an SVG file needs beyond one inside a page.
    pub(super) fn element(&self, alone: bool) -> Markup {
        html! {
            svg.plot xmlns=[alone.then_some("http://www.w3.org/2000/svg")]
                viewBox={ "0 0 " (self.width) " " (self.height) } role="img" aria-label=(self.spoken) {
                @if alone { style { (PreEscaped(PLOT_CSS)) } }
                (self.content)
            }
        }
    }
}
