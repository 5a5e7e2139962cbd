use histomask_core::Error;

use crate::evaluate::{EvaluateError, SegmentFileError};
use crate::panics;
use crate::train::TrainError;

/// What a lost device, or one without memory left, said in an error that kept it.
pub(crate) fn lost_device(error: &anyhow::Error) -> Option<&str> {
    let of_train = error.downcast_ref::<TrainError>().and_then(TrainError::device);
    let of_image = || error.downcast_ref::<EvaluateError>().and_then(EvaluateError::device);
    let of_core = || match (error.downcast_ref(), error.downcast_ref()) {
        (Some(Error::Device(said)), _) => Some(said.as_str()),
        (_, Some(SegmentFileError::Core { source: Error::Device(said), .. })) => Some(said.as_str()),
        _ => None,
    };
    of_train.or_else(of_image).or_else(of_core).and_then(panics::device_line)
}
