//! A sampled patch and its name, from which everything about it can be read.

use serde::{Deserialize, Serialize};

/// Where a patch lies and what it holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Patch {
    /// Number of the annotated region and of the row in it; normal patches have none.
    pub(crate) region: Option<usize>,
    pub(crate) row: Option<usize>,
    pub(crate) number: usize,
    /// Upper left corner in pixels of level 0.
    pub(crate) x: i64,
    pub(crate) y: i64,
    /// Pixels of tissue and of tumour.
    pub(crate) tissue: u64,
    pub(crate) metastatic: u64,
}

/// A count of pixels as a share of a patch, 0 to 1.
pub(super) fn share(pixels: u64, size: u32) -> f64 {
    pixels as f64 / (f64::from(size) * f64::from(size))
}

impl Patch {
    /// The published name: `file_<slide>_[reg_…_row_…_]patch_…_x_…_y_…_tissue_…_[metastatic_…_]w_…_h_…`. `slide` is the
    /// slide's published path.
    pub(crate) fn tag(&self, slide: &str, size: u32) -> String {
        let Self { number, x, y, .. } = self;
        let (slide, tissue) = (slide.replace('/', "-"), python(share(self.tissue, size)));
        match (self.region, self.row) {
            (Some(region), Some(row)) => {
                let metastatic = python(share(self.metastatic, size));
                format!(
                    "file_{slide}_reg_{region}_row_{row}_patch_{number}_x_{x}_y_{y}_tissue_{tissue}_metastatic_\
                     {metastatic}_w_{size}_h_{size}"
                )
            }
            _ => format!("file_{slide}_patch_{number}_x_{x}_y_{y}_tissue_{tissue}_w_{size}_h_{size}"),
        }
    }
}

/// A share as Python writes it.
pub(super) fn python(share: f64) -> String {
    format!("{share:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_published_ones() {
        let patch = Patch {
            region: Some(0),
            row: Some(8),
            number: 0,
            x: 84107,
            y: 117_472,
            tissue: 211_290,
            metastatic: 589_824,
        };
        assert_eq!(
            patch.tag("training/tumor/tumor_062.tif", 768),
            "file_training-tumor-tumor_062.tif_reg_0_row_8_patch_0_x_84107_y_117472_tissue_0.3582255045572917_metastatic_1.0\
             _w_768_h_768"
        );
        let normal = Patch { region: None, row: None, x: 35840, y: 94720, tissue: 95_910, ..patch };
        assert_eq!(
            normal.tag("training/normal/normal_084.tif", 512),
            "file_training-normal-normal_084.tif_patch_0_x_35840_y_94720_tissue_0.36586761474609375_w_512_h_512"
        );
    }
}
