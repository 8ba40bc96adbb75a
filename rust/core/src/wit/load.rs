//! From a source to a resolved package.

use std::fs::File;
use std::io::Read;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use wasmparser::{Encoding, Parser, Payload};
use wit_parser::decoding::{DecodedWasm, decode};
use wit_parser::{PackageId, Resolve, SourceMap, UnresolvedPackageGroup, WorldId};

use super::budget::{at_most, check_text, check_types};
use super::error::{NotComponent, WitError, chain};

/// Most bytes of WIT text in one package with its dependencies.
pub const TEXT_BYTES_MAX: usize = 2 << 20;

/// Most bytes of a component or encoded WIT package.
pub const BINARY_BYTES_MAX: usize = 256 << 20;

/// Most files in one WIT directory with its dependencies.
pub const FILES_MAX: usize = 1_000;

/// Where WIT comes from.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// A component, or a WIT package encoded as one.
    Binary(&'a [u8]),
    /// One WIT file, already read.
    Text {
        /// The name that errors give it.
        name: &'a str,
        /// Its contents.
        contents: &'a str,
    },
    /// A file, or a directory of `*.wit` with its dependencies under `deps/`.
    Path(&'a Path),
}

/// What a source says, resolved.
pub(crate) struct Loaded {
    /// Every package that was read, resolved together.
    pub(crate) resolve: Resolve,
    /// The package that was asked for.
    pub(crate) package: PackageId,
    /// The world, where the source has only one: a component's own.
    pub(crate) world: Option<WorldId>,
}

impl Loaded {
    /// Picks a world by name, or the only one if no name is given.
    pub(crate) fn select_world(&self, name: Option<&str>) -> Result<WorldId, WitError> {
        if let (None, Some(world)) = (name, self.world) {
            return Ok(world);
        }
        self.resolve
            .select_world(&[self.package], name)
            .map_err(|error| WitError::World {
                message: chain(error.as_ref()),
                known: self.resolve.packages[self.package]
                    .worlds
                    .keys()
                    .cloned()
                    .collect(),
            })
    }
}

/// Reads and resolves `source`; the caller provides the walls (`bounded`).
pub(crate) fn load(source: Source<'_>) -> Result<Loaded, WitError> {
    let loaded = match source {
        Source::Binary(bytes) => load_binary(bytes)?,
        Source::Text { name, contents } => load_text(
            Sources::of(vec![(name.to_owned(), contents.to_owned())]),
            Vec::new(),
        )?,
        Source::Path(path) if path.is_dir() => load_directory(path)?,
        Source::Path(path) => load_file(path)?,
    };
    check_types(&loaded.resolve)?;
    Ok(loaded)
}

/// Tells a component from everything else by its first bytes.
pub(crate) fn encoding(bytes: &[u8]) -> Result<Encoding, NotComponent> {
    if bytes.is_empty() {
        return Err(NotComponent::Empty);
    }
    if !bytes.starts_with(b"\0asm") {
        return Err(NotComponent::NotWasm);
    }
    match Parser::new(0).parse_all(bytes).next() {
        Some(Ok(Payload::Version { encoding, .. })) => Ok(encoding),
        _ => Err(NotComponent::UnknownVersion(version_word(bytes))),
    }
}

fn version_word(bytes: &[u8]) -> u32 {
    let mut word = [0; 4];
    for (to, from) in word.iter_mut().zip(bytes.iter().skip(4)) {
        *to = *from;
    }
    u32::from_le_bytes(word)
}

fn load_binary(bytes: &[u8]) -> Result<Loaded, WitError> {
    at_most(
        "size of the component, in bytes",
        bytes.len(),
        BINARY_BYTES_MAX,
    )?;
    match encoding(bytes).map_err(WitError::NotComponent)? {
        Encoding::Module => return Err(WitError::NotComponent(NotComponent::CoreModule)),
        Encoding::Component => {}
    }
    // The decoder asserts what every tool chain keeps to and the binary format
    // does not demand, so a valid component can make it panic.
    let decoded = catch_unwind(|| decode(bytes))
        .map_err(|_| WitError::Undecodable("it is shaped like no tool shapes one".to_owned()))?
        .map_err(|error| WitError::Undecodable(chain(error.as_ref())))?;
    Ok(match decoded {
        DecodedWasm::WitPackage(resolve, package) => Loaded {
            resolve,
            package,
            world: None,
        },
        DecodedWasm::Component(resolve, world) => {
            let package = resolve.worlds[world]
                .package
                .ok_or_else(|| WitError::Undecodable("its world has no package".to_owned()))?;
            Loaded {
                resolve,
                package,
                world: Some(world),
            }
        }
    })
}

fn load_file(path: &Path) -> Result<Loaded, WitError> {
    let bytes = read(path, BINARY_BYTES_MAX)?;
    if bytes.starts_with(b"\0asm") {
        return load_binary(&bytes);
    }
    load_text(
        Sources::of(vec![(display(path), utf8(path, bytes)?)]),
        Vec::new(),
    )
}

fn load_directory(path: &Path) -> Result<Loaded, WitError> {
    let mut budget = Budget::default();
    let main = budget.directory(path)?;
    let mut texts = Vec::new();
    let mut binaries = Vec::new();
    let deps = path.join("deps");
    if deps.is_dir() {
        for entry in entries(&deps)? {
            match extension(&entry) {
                _ if entry.is_dir() => texts.push(budget.directory(&entry)?),
                "wit" => texts.push(Sources::of(vec![budget.file(&entry)?])),
                "wasm" => binaries.push(read(&entry, BINARY_BYTES_MAX)?),
                _ => {}
            }
        }
    }
    load_groups(main, texts, &binaries)
}

fn load_text(main: Sources, deps: Vec<Sources>) -> Result<Loaded, WitError> {
    load_groups(main, deps, &[])
}

fn load_groups(
    main: Sources,
    deps: Vec<Sources>,
    binaries: &[Vec<u8>],
) -> Result<Loaded, WitError> {
    let all = || std::iter::once(&main).chain(&deps);
    let bytes = all().flat_map(Sources::texts).map(str::len).sum();
    at_most("size of the WIT text, in bytes", bytes, TEXT_BYTES_MAX)?;
    check_text(all().flat_map(Sources::texts))?;

    let mut resolve = Resolve::default();
    for binary in binaries {
        let encoded = load_binary(binary)?;
        resolve
            .merge(encoded.resolve)
            .map_err(|error| WitError::Unlocated {
                message: chain(error.as_ref()),
            })?;
    }
    let main = main.parse()?;
    let deps = deps
        .into_iter()
        .map(Sources::parse)
        .collect::<Result<_, _>>()?;
    match resolve.push_groups(main, deps) {
        Ok(package) => Ok(Loaded {
            resolve,
            package,
            world: None,
        }),
        Err(error) => Err(WitError::from_resolve(&error, &resolve.source_map)),
    }
}

/// The files of one package: name and contents.
struct Sources(Vec<(String, String)>);

impl Sources {
    fn of(files: Vec<(String, String)>) -> Self {
        Self(files)
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(_, contents)| contents.as_str())
    }

    fn parse(self) -> Result<UnresolvedPackageGroup, WitError> {
        let mut map = SourceMap::new();
        for (name, contents) in self.0 {
            map.push_str(&name, contents);
        }
        map.parse()
            .map_err(|(map, error)| WitError::from_parse(&error, &map))
    }
}

/// Reads files until a limit is met, so that a huge tree is refused early.
#[derive(Default)]
struct Budget {
    files: usize,
    bytes: usize,
}

impl Budget {
    fn directory(&mut self, path: &Path) -> Result<Sources, WitError> {
        let mut files = Vec::new();
        for entry in entries(path)? {
            if extension(&entry) == "wit" && !entry.is_dir() {
                files.push(self.file(&entry)?);
            }
        }
        if files.is_empty() {
            return Err(WitError::Empty {
                path: path.to_owned(),
            });
        }
        Ok(Sources(files))
    }

    fn file(&mut self, path: &Path) -> Result<(String, String), WitError> {
        self.files += 1;
        at_most("number of WIT files", self.files, FILES_MAX)?;
        let contents = utf8(path, read(path, TEXT_BYTES_MAX)?)?;
        self.bytes += contents.len();
        at_most("size of the WIT text, in bytes", self.bytes, TEXT_BYTES_MAX)?;
        Ok((display(path), contents))
    }
}

/// The entries of a directory in the order of their names: the same tree reads
/// the same on every machine.
fn entries(path: &Path) -> Result<Vec<PathBuf>, WitError> {
    let unreadable = |source| WitError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let mut found = Vec::new();
    for entry in path.read_dir().map_err(unreadable)? {
        found.push(entry.map_err(unreadable)?.path());
        at_most(
            "number of entries in a WIT directory",
            found.len(),
            FILES_MAX,
        )?;
    }
    found.sort();
    Ok(found)
}

fn read(path: &Path, bytes_max: usize) -> Result<Vec<u8>, WitError> {
    let unreadable = |source| WitError::Unreadable {
        path: path.to_owned(),
        source,
    };
    // Looked at before it is opened: opening a pipe would wait for its writer.
    if !path.metadata().map_err(unreadable)?.is_file() {
        return Err(WitError::NotText {
            path: path.to_owned(),
            problem: "not a regular file",
        });
    }
    let mut bytes = Vec::new();
    let limit = u64::try_from(bytes_max)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    at_most("size of a file, in bytes", bytes.len(), bytes_max)?;
    Ok(bytes)
}

fn utf8(path: &Path, bytes: Vec<u8>) -> Result<String, WitError> {
    String::from_utf8(bytes).map_err(|_| WitError::NotText {
        path: path.to_owned(),
        problem: "not UTF-8 text, and not a WebAssembly binary",
    })
}

fn extension(path: &Path) -> &str {
    path.extension()
        .and_then(|text| text.to_str())
        .unwrap_or_default()
}

fn display(path: &Path) -> String {
    path.display().to_string()
}
