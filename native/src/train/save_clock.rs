use std::time::{Duration, Instant};

/// When the state within an epoch is due to be saved.
#[derive(Debug)]
pub(super) struct SaveClock {
    every: Option<Duration>,
    last: Instant,
}

impl SaveClock {
    /// Due every so many minutes from now; never for 0.
    pub(super) fn new(minutes: f64) -> Self {
        let every = Duration::try_from_secs_f64(60.0 * minutes).ok().filter(|every| !every.is_zero());
        Self { every, last: Instant::now() }
    }

    pub(super) fn is_due(&self) -> bool {
        self.every.is_some_and(|every| self.last.elapsed() >= every)
    }

    /// It was saved just now.
    pub(super) fn restart(&mut self) {
        self.last = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_never_comes() {
        assert!(!SaveClock::new(0.0).is_due());
        assert!(!SaveClock::new(60.0).is_due());
        // more than a clock can count
        assert!(!SaveClock::new(1e300).is_due());
        let mut clock = SaveClock::new(1e-4);
        std::thread::sleep(Duration::from_millis(10));
        assert!(clock.is_due());
        clock.restart();
        assert!(clock.last.elapsed() < Duration::from_secs(5));
    }
}
