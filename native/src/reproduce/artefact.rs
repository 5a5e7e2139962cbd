//! The tables and figures that can be repeated, by name (`spec` §7), and one of our own.

use super::material::Source;
use crate::profile::Profile;

/// A table or figure, of the paper but for the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Artefact {
    Table1,
    Table2,
    Table3,
    Table4,
    Fig3,
    Fig5,
    Fig6,
    Fig7,
    Fig8,
    Fig9,
    Fig10,
    Fig11,
    Fig12,
    Fig13,
    FigB1,
    FigB2,
    Lambda,
}

impl Artefact {
    /// All, in the order of the paper: tables, figures, appendix; then ours.
    pub(crate) const ALL: [Self; 17] = [
        Self::Table1,
        Self::Table2,
        Self::Table3,
        Self::Table4,
        Self::Fig3,
        Self::Fig5,
        Self::Fig6,
        Self::Fig7,
        Self::Fig8,
        Self::Fig9,
        Self::Fig10,
        Self::Fig11,
        Self::Fig12,
        Self::Fig13,
        Self::FigB1,
        Self::FigB2,
        Self::Lambda,
    ];

    /// The artefact of this name, in any case.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|artefact| artefact.name().eq_ignore_ascii_case(name))
    }

    /// Its name on the command line and of its folder.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Table1 => "table1",
            Self::Table2 => "table2",
            Self::Table3 => "table3",
            Self::Table4 => "table4",
            Self::Fig3 => "fig3",
            Self::Fig5 => "fig5",
            Self::Fig6 => "fig6",
            Self::Fig7 => "fig7",
            Self::Fig8 => "fig8",
            Self::Fig9 => "fig9",
            Self::Fig10 => "fig10",
            Self::Fig11 => "fig11",
            Self::Fig12 => "fig12",
            Self::Fig13 => "fig13",
            Self::FigB1 => "figB1",
            Self::FigB2 => "figB2",
            Self::Lambda => "lambda",
        }
    }

    /// Its number in the paper and what it shows.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Table1 => "Table 1: all methods on GlaS",
            Self::Table2 => "Table 2: all methods on Camelyon16",
            Self::Table3 => "Table 3: parameters and time",
            Self::Table4 => "Table 4: ablation on GlaS",
            Self::Fig3 => "Fig. 3: what the terms reward, and their gradients",
            Self::Fig5 => "Fig. 5: pixel confusion on GlaS",
            Self::Fig6 => "Fig. 6: pixel confusion on Camelyon16",
            Self::Fig7 => "Fig. 7: region sizes on GlaS",
            Self::Fig8 => "Fig. 8: foreground on normal patches of Camelyon16",
            Self::Fig9 => "Fig. 9: masks of the ablation on GlaS",
            Self::Fig10 => "Fig. 10: sensitivity to lambda, sigma and omega on GlaS",
            Self::Fig11 => "Fig. 11: masks of all methods on GlaS",
            Self::Fig12 => "Fig. 12: masks on normal patches of Camelyon16",
            Self::Fig13 => "Fig. 13: masks on metastatic patches of Camelyon16",
            Self::FigB1 => "Fig. B.1: accuracy during training, EEM on GlaS",
            Self::FigB2 => "Fig. B.2: accuracy during training, SEM on GlaS",
            Self::Lambda => "What lambda does, by the depth of the backbone, on GlaS",
        }
    }

    /// The profile of its runs in place of each method's published one.
    pub(crate) fn profile(self) -> Option<&'static str> {
        (self == Self::Lambda).then_some(Profile::RECIPE)
    }

    /// The data it is made from; none where no image is needed.
    pub(crate) fn source(self) -> Option<Source> {
        match self {
            Self::Table3 | Self::Fig3 => None,
            Self::Table2 | Self::Fig6 | Self::Fig8 | Self::Fig12 | Self::Fig13 => Some(Source::Camelyon),
            _ => Some(Source::Glas),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_and_order_is_the_papers() {
        assert_eq!(Artefact::named("FIGb1"), Some(Artefact::FigB1));
        assert_eq!(Artefact::named("fig4"), None);
        assert!(Artefact::ALL.is_sorted());
        for artefact in Artefact::ALL {
            assert_eq!(Artefact::named(artefact.name()), Some(artefact));
        }
    }
}
