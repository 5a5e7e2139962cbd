use std::cell::OnceCell;

use crate::console::{Bar, Console};
use crate::job::{Count, Watch};
use crate::train::{EpochRow, Observer, UntrainedRow};

impl Watch for Console {
    fn say(&self, line: &str) {
        self.say(line);
    }

    fn warn(&self, line: &str) {
        self.warn(line);
    }

    fn show(&self, text: &str) -> std::io::Result<()> {
        self.print(text)
    }

    fn count(&self, total: usize, what: &str) -> Box<dyn Count + '_> {
        Box::new(self.bar(total, what))
    }

    fn training(&self, epochs: usize) -> Box<dyn Observer + '_> {
        Box::new(Progress { console: self, epochs, bar: OnceCell::new() })
    }
}

/// Shows a training on the console.
struct Progress<'a> {
    console: &'a Console,
    epochs: usize,
    bar: OnceCell<Bar>,
}

/// A score on the console.
fn percent(value: Option<f64>) -> String {
    value.map_or("-".into(), |value| format!("{value:.1}"))
}

impl Observer for Progress<'_> {
    fn untrained(&self, row: &UntrainedRow) {
        self.console.say(&format!(
            "before training:  valid error {} %  F1+ {}  F1- {}  {:.0} s",
            percent(row.valid_error),
            percent(row.valid_f1_plus),
            percent(row.valid_f1_minus),
            row.valid_seconds,
        ));
    }

    fn begin(&self, epoch: usize, step: usize, steps: usize) {
        let done = epoch * steps + step;
        if done > 0 {
            self.console.say(&format!("going on with epoch {}, step {}", epoch + 1, step + 1));
        }
        let bar = self.bar.get_or_init(|| self.console.bar(self.epochs * steps, "steps"));
        bar.start_at(done);
    }

    fn step(&self, epoch: usize, step: usize, steps: usize, loss: f64) {
        if let Some(bar) = self.bar.get() {
            bar.set((epoch - 1) * steps + step, &format!("epoch {epoch}/{}, loss {loss:.4}", self.epochs));
        }
    }

    fn masks_all_alike(&self, epoch: usize, foreground: bool) {
        let what = if foreground { "foreground everywhere" } else { "background everywhere" };
        let line = format!("epoch {epoch}: every validation mask is {what}; the model separates nothing yet");
        match self.bar.get() {
            Some(bar) => bar.line(&format!("warning: {line}")),
            None => self.console.warn(&line),
        }
    }

    fn epoch(&self, row: &EpochRow) {
        let line = format!(
            "epoch {:>3}/{}  loss {:.4}  train error {} %  valid error {} %  F1+ {}  F1- {}  foreground {} %  {:.0} s{}",
            row.epoch,
            self.epochs,
            row.loss,
            percent(row.train_error),
            percent(row.valid_error),
            percent(row.valid_f1_plus),
            percent(row.valid_f1_minus),
            percent(row.valid_foreground),
            row.train_seconds + row.valid_seconds,
            if row.best { "  best" } else { "" },
        );
        match self.bar.get() {
            Some(bar) => bar.line(&line),
            None => self.console.say(&line),
        }
    }
}
