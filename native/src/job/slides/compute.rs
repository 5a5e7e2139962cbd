//! The first pass over a slide: the network on every part.

use std::fs::File;
use std::sync::mpsc::sync_channel;
use std::time::Instant;

use histomask_core::slide::SlideError;
use histomask_core::whole_slide::Parts;

use super::state::State;
use super::summary::Seconds;
use crate::interrupt;
use crate::job::watch::Count;

/// Batches that are read ahead.
const AHEAD: usize = 2;

/// Computes what is missing in `state`; false if the user stopped it. Adds to `seconds` what it took.
///
/// # Errors
/// The slide cannot be read, the network fails, or the state cannot be written.
pub(super) fn compute(
    parts: &Parts<'_, File>,
    state: &mut State,
    count: &dyn Count,
    seconds: &mut Seconds,
) -> anyhow::Result<bool> {
    let units = &parts.plan.units;
    let missing: Vec<_> = units.iter().enumerate().filter(|&(number, _)| !state.has(number)).collect();
    let (mut done, mut damaged) = (units.len() - missing.len(), 0);
    count.start_at(done);
    let (send, receive) = sync_channel(AHEAD);
    std::thread::scope(|scope| {
        let reader = || {
            let mut reading = 0.0;
            for batch in parts.plan.batches(&missing) {
                let clock = Instant::now();
                let (numbers, units): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
                let read =
                    units.into_iter().map(|unit| Ok((unit, parts.read(unit)?))).collect::<Result<Vec<_>, SlideError>>();
                let read = read.map(|batch| (numbers, batch));
                reading += clock.elapsed().as_secs_f64();
                let failed = read.is_err();
                // nobody listens any more, or there is nothing more to say
                if interrupt::asked() || send.send(read).is_err() || failed {
                    break;
                }
            }
            drop(send);
            reading
        };
        let reader = scope.spawn(reader);
        // taken over, so that an early end lets the reader go
        let receive = receive;
        let mut clock = Instant::now();
        let mut lap = |part: &mut f64| {
            *part += clock.elapsed().as_secs_f64();
            clock = Instant::now();
        };
        for read in &receive {
            lap(&mut seconds.waiting);
            let (numbers, batch) = read?;
            let results = pollster::block_on(parts.observe_batch(&batch))?;
            lap(&mut seconds.inferring);
            let new = parts.slide.passed_over(damaged);
            damaged += new.len();
            state.note_damage(new)?;
            for (number, result) in numbers.into_iter().zip(results) {
                state.put(number, &result)?;
                done += 1;
            }
            lap(&mut seconds.keeping);
            count.set(done, "");
            if interrupt::asked() {
                break;
            }
        }
        drop(receive);
        seconds.reading += reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok(done == units.len())
    })
}
