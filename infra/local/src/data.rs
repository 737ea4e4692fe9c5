//! The data directory: one process at a time, files that only their owner reads, each written whole or not at all.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Serialize, de::DeserializeOwned};

/// Where the local product keeps what it must find again, or nowhere.
#[derive(Clone, Debug)]
pub struct Data(Option<Arc<Directory>>);

#[derive(Debug)]
struct Directory {
    path: PathBuf,
    /// Locked for as long as it is open; the system unlocks it however the process ends.
    _lock: File,
}

/// Why the data directory can not be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// Another process has it.
    #[error(
        "another process is using the data directory {}: stop that one, or choose another directory with --data, or \
         keep nothing with --memory", .0.display()
    )]
    InUse(PathBuf),
    /// The system refuses.
    #[error("the data directory does not work: {}: {source}", .path.display())]
    Io {
        /// What it was about.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file does not say what it should.
    #[error("{} is damaged ({source}): mend it, or move it away to begin anew", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

impl Data {
    /// Keeps nothing.
    #[must_use]
    pub fn memory() -> Self {
        Self(None)
    }

    /// Keeps files in `path`, which is made if there is none, and held against other processes.
    ///
    /// # Errors
    /// [`DataError::InUse`] when another process holds it; [`DataError::Io`] when the system refuses.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        make_directory(path).map_err(|source| io_error(path, source))?;
        let lock_path = path.join("lock");
        let lock = owner_only().write(true).create(true).truncate(false).open(&lock_path);
        let lock = lock.map_err(|source| io_error(&lock_path, source))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self(Some(Arc::new(Directory { path: path.to_owned(), _lock: lock })))),
            Err(TryLockError::WouldBlock) => Err(DataError::InUse(path.to_owned())),
            Err(TryLockError::Error(source)) => Err(io_error(&lock_path, source)),
        }
    }

    /// The path of the file `name`; `None` where nothing is kept.
    #[must_use]
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.0.as_ref().map(|directory| directory.path.join(name))
    }

    /// Reads the JSON file `name`; `None` where there is none.
    ///
    /// # Errors
    /// [`DataError::Io`] and [`DataError::Damaged`].
    pub fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, DataError> {
        let Some(path) = self.path(name) else { return Ok(None) };
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(io_error(&path, source)),
        };
        serde_json::from_slice(&bytes).map(Some).map_err(|source| DataError::Damaged { path, source })
    }

    /// Writes the JSON file `name`, readable for its owner only. A reader finds the old one or the new one, whole.
    ///
    /// # Errors
    /// [`DataError::Io`].
    pub fn write(&self, name: &str, value: &impl Serialize) -> Result<(), DataError> {
        let Some(path) = self.path(name) else { return Ok(()) };
        let written = || -> io::Result<()> {
            if let Some(directory) = path.parent() {
                make_directory(directory)?;
            }
            let fresh = path.with_extension("new");
            let mut file = owner_only().write(true).create(true).truncate(true).open(&fresh)?;
            serde_json::to_writer_pretty(&mut file, value)?;
            file.write_all(b"\n")?;
            file.sync_all()?;
            fs::rename(&fresh, &path)
        };
        written().map_err(|source| io_error(&path, source))
    }

    /// Removes the file `name`, if there is one.
    ///
    /// # Errors
    /// [`DataError::Io`].
    pub fn remove(&self, name: &str) -> Result<(), DataError> {
        let Some(path) = self.path(name) else { return Ok(()) };
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error(&path, error)),
            _ => Ok(()),
        }
    }

    /// The names of the JSON files in the folder `name`, without their ending.
    ///
    /// # Errors
    /// [`DataError::Io`].
    pub fn names(&self, name: &str) -> Result<Vec<String>, DataError> {
        let Some(path) = self.path(name) else { return Ok(Vec::new()) };
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(io_error(&path, source)),
        };
        let files = entries.filter_map(Result::ok).map(|entry| entry.file_name());
        Ok(files.filter_map(|file| file.to_str()?.strip_suffix(".json").map(str::to_owned)).collect())
    }

    /// What the file `name` holds; where there is none, `make` says what it holds from now on.
    ///
    /// # Errors
    /// As [`Data::read`] and [`Data::write`].
    pub fn keep<T: Serialize + DeserializeOwned>(&self, name: &str, make: impl FnOnce() -> T) -> Result<T, DataError> {
        if let Some(kept) = self.read(name)? {
            return Ok(kept);
        }
        let fresh = make();
        self.write(name, &fresh)?;
        Ok(fresh)
    }
}

fn io_error(path: &Path, source: io::Error) -> DataError {
    DataError::Io { path: path.to_owned(), source }
}

fn owner_only() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn make_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}
