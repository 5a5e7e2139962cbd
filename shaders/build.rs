//! Puts every kernel together, checks it with naga and writes its Rust side: bindings, workgroup size and parameters.
//!
//! A line `#import name` of a kernel stands for `wgsl/shared/name.wgsl`, once however often it is asked for. Parameters
//! that several kernels share stand in a shared file `name_params.wgsl` and become one Rust struct.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use naga::front::wgsl::{Frontend, Options};
use naga::valid::{Capabilities, ValidationFlags, Validator};
use naga::{Module, ScalarKind, ShaderStage, TypeInner};

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let folder = root.join("wgsl");
    println!("cargo::rerun-if-changed={}", folder.display());
    let (mut generated, mut params) = (String::new(), BTreeMap::new());
    for path in kernels(&folder) {
        match kernel(&path, &mut params) {
            Ok(text) => generated += &text,
            Err(reason) => println!("cargo::error={}: {}", path.display(), reason.replace('\n', "\ncargo::error=")),
        }
    }
    generated.extend(params.into_values());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("kernels.rs");
    if let Err(error) = fs::write(&out, generated) {
        println!("cargo::error={}: {error}", out.display());
    }
}

fn kernels(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut paths: Vec<_> = entries.filter(|path| path.extension().is_some_and(|end| end == "wgsl")).collect();
    paths.sort();
    paths
}

/// The text of a kernel or of a shared file with its imports in place of the lines that ask for them; names the shared
/// files in `imported`, and leaves out those that it names already.
fn assembled(path: &Path, shared: &Path, imported: &mut Vec<String>) -> Result<String, String> {
    let source = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut text = String::new();
    for line in source.lines() {
        match line.strip_prefix("#import ") {
            None => text.extend([line, "\n"]),
            Some(name) if imported.iter().any(|known| known == name) => (),
            Some(name) => {
                imported.push(name.to_owned());
                text += &assembled(&shared.join(format!("{name}.wgsl")), shared, imported)?;
                text += "\n";
            }
        }
    }
    Ok(text)
}

/// Rust text for one file, or what is wrong with it; its parameters go to `params` under the name of their struct.
fn kernel(path: &Path, params: &mut BTreeMap<String, String>) -> Result<String, String> {
    let mut imported = Vec::new();
    let source = assembled(path, &path.with_file_name("shared"), &mut imported)?;
    let mut options = Options::new();
    options.parse_doc_comments = true;
    let module = Frontend::new_with_options(options).parse(&source).map_err(|error| error.emit_to_string(&source))?;
    Validator::new(ValidationFlags::all(), Capabilities::empty())
        .validate(&module)
        .map_err(|error| error.emit_to_string(&source))?;

    let [entry] = module.entry_points.as_slice() else {
        return Err(format!("{} entry points; one stage a file", module.entry_points.len()));
    };
    if entry.name != "main" || entry.stage != ShaderStage::Compute {
        return Err("the entry point must be a compute stage named main".into());
    }
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let mut text = String::new();
    let bindings = bindings(&module)?;
    // writing to a String cannot fail
    let _ = writeln!(
        text,
        "/// `wgsl/{name}.wgsl`\npub const {}: Kernel = Kernel {{\n    name: \"{name}\",\n    \
         source: {source:?},\n    workgroup: {:?},\n    bindings: &{bindings:?},\n}};\n",
        name.to_uppercase(),
        entry.workgroup_size,
    );
    let owner = imported.iter().find_map(|file| file.strip_suffix("_params")).unwrap_or(&name);
    if let Some(fields) = parameters(&module, owner)? {
        params.insert(owner.to_owned(), fields);
    }
    Ok(text)
}

/// Names of the buffers, in the order of their binding numbers.
fn bindings(module: &Module) -> Result<Vec<&str>, String> {
    let bound = module.global_variables.iter().filter_map(|(_, variable)| Some((variable.binding?, variable)));
    let mut bound: Vec<_> = bound.map(|(at, variable)| (at.group, at.binding, variable)).collect();
    bound.sort_by_key(|&(group, binding, _)| (group, binding));
    let mut names = Vec::new();
    for (index, (group, binding, variable)) in bound.into_iter().enumerate() {
        let name = variable.name.as_deref().unwrap_or_default();
        if group != 0 || binding as usize != index {
            return Err(format!("{name}: buffers are bound in group 0, numbered from 0 without a gap"));
        }
        names.push(name);
    }
    Ok(names)
}

/// `struct Params` of the kernel as a Rust struct named after `owner`.
fn parameters(module: &Module, owner: &str) -> Result<Option<String>, String> {
    let Some((handle, ty)) = module.types.iter().find(|(_, ty)| ty.name.as_deref() == Some("Params")) else {
        return Ok(None);
    };
    let TypeInner::Struct { members, .. } = &ty.inner else { return Err("Params must be a struct".into()) };
    let camel: String = owner.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
    let (mut fields, mut bytes) = (String::new(), String::new());
    for (index, member) in members.iter().enumerate() {
        let name = member.name.as_deref().unwrap_or_default();
        let kind = match module.types[member.ty].inner {
            TypeInner::Scalar(scalar) if scalar.kind == ScalarKind::Uint => "u32",
            TypeInner::Scalar(scalar) if scalar.kind == ScalarKind::Float => "f32",
            _ => return Err(format!("Params.{name}: only u32 and f32")),
        };
        let comments = module.doc_comments.as_ref().and_then(|docs| docs.struct_members.get(&(handle, index)));
        let Some(comments) = comments else { return Err(format!("Params.{name}: say what it is in a /// comment")) };
        for line in comments {
            let _ = writeln!(fields, "    {}", line.trim());
        }
        let _ = writeln!(fields, "    pub {name}: {kind},");
        let _ = writeln!(bytes, "        bytes.extend(self.{name}.to_le_bytes());");
    }
    Ok(Some(format!(
        "/// Parameters of `{owner}`.\n#[derive(Clone, Copy, Debug, Default, PartialEq)]\npub struct {camel}Params {{\n{fields}}}\n\n\
         impl {camel}Params {{\n    /// As the kernel reads them.\n    #[must_use]\n    pub fn bytes(&self) -> Vec<u8> {{\n        \
         let mut bytes = Vec::new();\n{bytes}        bytes\n    }}\n}}\n\n",
    )))
}
