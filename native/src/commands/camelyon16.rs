use std::sync::mpsc;

use anyhow::ensure;

use crate::arguments::{Camelyon16, CamelyonSample};
use crate::camelyon::{Event, Sampled, find, sample};
use crate::console::{Bar, Console, Exit};
use crate::job::Count as _;

pub(crate) fn run(args: &Camelyon16, console: &Console) -> anyhow::Result<Exit> {
    match args {
        Camelyon16::Sample(args) => sample_slides(args, console),
    }
}

fn sample_slides(args: &CamelyonSample, console: &Console) -> anyhow::Result<Exit> {
    let settings = args.settings();
    let found = find(&args.slides, settings.fold, settings.seed)?;
    found.warnings.iter().for_each(|warning| console.warn(warning));
    found.failed.iter().for_each(|error| console.warn(&error.to_string()));
    ensure!(
        found.slides.iter().any(|slide| slide.has_tumour()),
        "no slide with tumour found; slides are named tumor_001.tif, their annotations tumor_001.xml, normal slides \
         normal_001.tif, test slides test_001.tif"
    );
    let normal = found.slides.iter().filter(|slide| !slide.has_tumour()).count();
    console.say(&format!("{} slides with tumour, {normal} without", found.slides.len() - normal));

    let (tell, told) = mpsc::channel();
    let sampled = std::thread::scope(|scope| {
        let work = scope.spawn(|| {
            // the sender ends with the work, and the loop below with it
            let tell = tell;
            sample(&found.slides, &settings, &args.out, &|event| drop(tell.send(event)))
        });
        show(&told, console);
        work.join()
    });
    let sampled = match sampled {
        Ok(sampled) => sampled?,
        Err(panic) => std::panic::resume_unwind(panic),
    };
    let Some(Sampled { summary, labels, failed }) = sampled else {
        console.say("stopped; the same command goes on with the slides that are not finished");
        return Ok(Exit::Interrupted);
    };
    console.print(&summary.text())?;
    console.print(&format!("list for `train --data`: {}", labels.display()))?;
    Ok(if failed || !found.failed.is_empty() { Exit::SomeFailed } else { Exit::Fine })
}

/// Progress until the work is done.
fn show(told: &mpsc::Receiver<Event>, console: &Console) {
    let (mut bar, mut done): (Option<Bar>, _) = (None, 0);
    for event in told {
        match (event, &bar) {
            (Event::Pass { what, slides }, _) => {
                bar = None;
                bar.replace(console.bar(slides, what));
                done = 0;
            }
            (Event::Slide { name, line }, Some(bar)) => {
                done += 1;
                bar.line(&format!("{name}: {line}"));
                bar.set(done, &name);
            }
            (Event::Slide { name, line }, None) => console.say(&format!("{name}: {line}")),
            (Event::Warning(line), Some(bar)) => bar.line(&format!("warning: {line}")),
            (Event::Warning(line), None) => console.warn(&line),
        }
    }
}
