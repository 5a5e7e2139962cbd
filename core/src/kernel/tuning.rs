//! Burn's tuner, without the measurements of the device that cost it more than they save.

use burn::tensor::Device;
use cubecl::ir::{ElemType, FloatKind, IntKind, UIntKind};
use cubecl::throughput::{MemoryAccess, MemorySpec, ThroughputKey, ThroughputMode, ThroughputValue, working_set_sweep};

/// Largest working set that the tuner can ask about, in bytes; it asks in powers of two.
const LARGEST: u64 = 1 << 40;

/// Has burn's tuner compare kernels by their time alone on a device that was just opened.
///
/// To stop at the first kernel near the device's peak it would first measure that peak, for every power of two of
/// memory that kernels move: half a second to two and a half each, in every run, and far more where the device shares
/// its cores. A peak of zero, as of what cannot be measured, makes it try the few kernels there are.
pub fn tune_by_time(device: &Device) {
    let device = device.clone().inner();
    let burn::backend::DispatchDevice::Cube(device) = device.as_dispatch() else { return };
    let client = device.client();
    let memory = [MemoryAccess::Copy, MemoryAccess::Read, MemoryAccess::Write].into_iter().flat_map(|access| {
        working_set_sweep(LARGEST).into_iter().map(move |bytes| ThroughputMode::Memory(MemorySpec::new(access, bytes)))
    });
    let types = [ElemType::Float(FloatKind::F32), ElemType::Int(IntKind::I32), ElemType::UInt(UIntKind::U32)];
    let compute = types.into_iter().map(|dtype| ThroughputMode::ComputeDirect { dtype });
    for mode in memory.chain(compute).chain([ThroughputMode::Launch]) {
        // what was measured before stays
        let _ = client.measure_throughput(ThroughputKey { mode }, || Ok(ThroughputValue::ZERO));
    }
}
