//! Power cuts at every operation and every byte of a replacement, on a modelled disk and on a real one.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;

use super::*;

const OLD: &[u8] = b"{\"topic\":\"old\"}";
const NEW: &[u8] = b"{\"topic\":\"new, and longer than the old one\"}";

/// A disk as unkind as POSIX allows: until it is synced, a file may hold any beginning of what was written to it, and
/// a directory its old names or its new ones.
#[derive(Clone, Default)]
struct Disk {
    content: Vec<Vec<u8>>,
    synced: Vec<bool>,
    names: BTreeMap<PathBuf, usize>,
    /// The directories that a power cut may leave.
    survivors: Vec<BTreeMap<PathBuf, usize>>,
}

impl Disk {
    fn holding(path: &Path, bytes: &[u8]) -> Self {
        let names = BTreeMap::from([(path.to_owned(), 0)]);
        Self { content: vec![bytes.to_vec()], synced: vec![true], names: names.clone(), survivors: vec![names] }
    }

    fn perform(&mut self, step: &Step) {
        match step {
            Step::Write(path, bytes) => {
                self.content.push(bytes.to_vec());
                self.synced.push(false);
                self.names.insert(path.clone(), self.content.len() - 1);
            }
            Step::Sync(path) => self.synced[self.names[path]] = true,
            Step::Rename(from, to) => {
                let moved = self.names.remove(from).unwrap();
                self.names.insert(to.clone(), moved);
            }
            Step::SyncDirectory(_) => self.survivors.clear(),
        }
        self.survivors.push(self.names.clone());
    }

    /// Everything that `path` may hold after a power cut at this moment; `None` stands for no such file.
    fn after_power_cut(&self, path: &Path) -> Vec<Option<Vec<u8>>> {
        let contents = |&file: &usize| {
            let whole = &self.content[file];
            let shortest = if self.synced[file] { whole.len() } else { 0 };
            (shortest..=whole.len()).map(|end| Some(whole[..end].to_vec())).collect::<Vec<_>>()
        };
        self.survivors.iter().flat_map(|names| names.get(path).map_or_else(|| vec![None], contents)).collect()
    }
}

/// All that may be found after a power cut during `steps`, at whatever byte.
fn all_outcomes(steps: &[Step]) -> Vec<Option<Vec<u8>>> {
    let file = Path::new("memory.json");
    let mut disk = Disk::holding(file, OLD);
    let mut outcomes = disk.after_power_cut(file);
    for step in steps {
        if let Step::Write(path, bytes) = step {
            for end in 0..bytes.len() {
                let mut cut = disk.clone();
                cut.perform(&Step::Write(path.clone(), &bytes[..end]));
                outcomes.extend(cut.after_power_cut(file));
            }
        }
        disk.perform(step);
        outcomes.extend(disk.after_power_cut(file));
    }
    outcomes
}

#[test]
fn a_power_cut_at_any_byte_leaves_the_old_or_the_new_memory() {
    let outcomes = all_outcomes(&replace(Path::new("memory.json"), NEW));
    assert!(outcomes.iter().all(|found| matches!(found.as_deref(), Some(OLD | NEW))), "{outcomes:?}");
    assert!(outcomes.contains(&Some(OLD.to_vec())) && outcomes.contains(&Some(NEW.to_vec())));
}

#[test]
fn what_was_written_is_there_after_any_later_power_cut() {
    let file = Path::new("memory.json");
    let mut disk = Disk::holding(file, OLD);
    for step in &replace(file, NEW) {
        disk.perform(step);
    }
    assert_eq!(disk.after_power_cut(file), [Some(NEW.to_vec())]);
}

#[test]
fn the_model_of_the_disk_catches_a_missing_sync() {
    let steps = replace(Path::new("memory.json"), NEW);
    let hasty = [steps[0].clone(), steps[2].clone(), steps[3].clone()];
    assert!(all_outcomes(&hasty).iter().any(|found| !matches!(found.as_deref(), Some(OLD | NEW))));
}

#[test]
fn a_write_cut_short_on_a_real_disk_is_as_if_it_had_not_begun() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    fs::write(&store.file, OLD).unwrap();
    let [Step::Write(path, bytes), sync, ..] = replace(&store.file, NEW) else { panic!("writes first") };
    for end in 0..=bytes.len() {
        perform(&Step::Write(path.clone(), &bytes[..end])).unwrap();
        assert_eq!(store.read().unwrap().topic.as_deref(), Some("old"), "cut at byte {end}");
    }
    perform(&sync).unwrap();
    assert_eq!(store.read().unwrap().topic.as_deref(), Some("old"));
    store.write(&Memory { topic: Some("new".to_owned()), ..Memory::default() }).unwrap();
    assert_eq!(store.read().unwrap().topic.as_deref(), Some("new"));
}

#[test]
fn only_the_owner_can_read_a_private_key() {
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("state");
    let store = Store::open(&state).unwrap();
    store.write(&Memory::default()).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&store.file), mode(&state)), (0o600, 0o700));
}

#[test]
fn a_directory_that_others_can_read_is_closed_to_them() {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    Store::open(directory.path()).unwrap();
    assert_eq!(fs::metadata(directory.path()).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_damaged_memory_is_not_taken_for_an_empty_one() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    fs::write(&store.file, b"{\"current\":{\"key\":\"x\",\"certificate\":\"y\"}}").unwrap();
    assert!(matches!(store.read(), Err(StoreError::Damaged { .. })));
}
