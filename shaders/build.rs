//! Checks every kernel with naga and writes its Rust side: bindings, workgroup size and parameters.

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
    let (mut generated, mut names) = (String::new(), Vec::new());
    for path in kernels(&folder) {
        match kernel(&path) {
            Ok(text) => {
                generated += &text;
                names.push(path.file_stem().unwrap_or_default().to_string_lossy().to_uppercase());
            }
            Err(reason) => println!("cargo::error={}: {}", path.display(), reason.replace('\n', "\ncargo::error=")),
        }
    }
    generated +=
        &format!("/// Every kernel.\npub const ALL: &[&Kernel] = &[{}];\n", names.join(", &").replacen("", "&", 1));
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

/// Ends of the names of files that are another form of the file without.
const VARIANTS: [&str; 2] = ["_subgroups", "_5x5"];

/// Rust text for one file, or what is wrong with it.
fn kernel(path: &Path) -> Result<String, String> {
    let source = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let mut options = Options::new();
    options.parse_doc_comments = true;
    let module = Frontend::new_with_options(options).parse(&source).map_err(|error| error.emit_to_string(&source))?;
    Validator::new(ValidationFlags::all(), Capabilities::SUBGROUP)
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
         source: include_str!({:?}),\n    workgroup: {:?},\n    bindings: &{bindings:?},\n}};\n",
        name.to_uppercase(),
        path.display().to_string(),
        entry.workgroup_size,
    );
    // a variant has its base's parameters, which the base's file defines
    let base = VARIANTS.iter().find_map(|suffix| name.strip_suffix(suffix));
    let fields = parameters(&module, base.unwrap_or(&name))?;
    match base {
        None => text += &fields,
        Some(base) => {
            let base = path.with_file_name(format!("{base}.wgsl"));
            let of_base = fs::read_to_string(&base).map_err(|error| format!("{}: {error}", base.display()))?;
            if struct_text(&of_base) != struct_text(&source) {
                return Err(format!("its Params differ from those of {}", base.display()));
            }
        }
    }
    Ok(text)
}

/// The text of `struct Params`.
fn struct_text(source: &str) -> Option<&str> {
    let start = source.find("struct Params {")?;
    source[start..].find('}').map(|end| &source[start..start + end])
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

/// `struct Params` of the kernel as a Rust struct.
fn parameters(module: &Module, kernel: &str) -> Result<String, String> {
    let Some((handle, ty)) = module.types.iter().find(|(_, ty)| ty.name.as_deref() == Some("Params")) else {
        return Ok(String::new());
    };
    let TypeInner::Struct { members, .. } = &ty.inner else { return Err("Params must be a struct".into()) };
    let camel: String = kernel.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
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
    Ok(format!(
        "/// Parameters of [`{upper}`].\n#[derive(Clone, Copy, Debug, PartialEq)]\npub struct {camel}Params {{\n{fields}}}\n\n\
         impl {camel}Params {{\n    /// As the kernel reads them.\n    #[must_use]\n    pub fn bytes(&self) -> Vec<u8> {{\n        \
         let mut bytes = Vec::new();\n{bytes}        bytes\n    }}\n}}\n\n",
        upper = kernel.to_uppercase(),
    ))
}
