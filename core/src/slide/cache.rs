//! Decoded tiles, the ones used last.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A level and the index of a tile in it.
pub(super) type Key = (usize, usize);

/// Tiles up to a number of bytes; the one that was not used for the longest time goes first.
pub(super) struct TileCache {
    limit: usize,
    bytes: usize,
    clock: u64,
    tiles: HashMap<Key, (u64, Arc<Vec<u8>>)>,
    by_use: BTreeMap<u64, Key>,
}

impl TileCache {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, bytes: 0, clock: 0, tiles: HashMap::new(), by_use: BTreeMap::new() }
    }

    pub(super) fn get(&mut self, key: Key) -> Option<Arc<Vec<u8>>> {
        let (used, tile) = self.tiles.get_mut(&key)?;
        self.by_use.remove(used);
        self.clock += 1;
        *used = self.clock;
        self.by_use.insert(self.clock, key);
        Some(Arc::clone(tile))
    }

    pub(super) fn put(&mut self, key: Key, tile: Arc<Vec<u8>>) {
        if tile.len() > self.limit || self.tiles.contains_key(&key) {
            return;
        }
        while self.bytes + tile.len() > self.limit {
            let Some((_, oldest)) = self.by_use.pop_first() else { break };
            if let Some((_, gone)) = self.tiles.remove(&oldest) {
                self.bytes -= gone.len();
            }
        }
        self.clock += 1;
        self.bytes += tile.len();
        self.by_use.insert(self.clock, key);
        self.tiles.insert(key, (self.clock, tile));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_last_stays() {
        let mut cache = TileCache::new(30);
        let tile = || Arc::new(vec![0; 10]);
        (0..3).for_each(|index| cache.put((0, index), tile()));
        assert!(cache.get((0, 0)).is_some());
        cache.put((1, 0), tile());
        assert!(cache.get((0, 1)).is_none() && cache.get((0, 0)).is_some() && cache.bytes == 30);
        cache.put((1, 1), Arc::new(vec![0; 31]));
        assert!(cache.get((1, 1)).is_none() && cache.get((1, 0)).is_some());
    }
}
