//! The template as AWS would see it with its default parameters: every `!Ref`, `!Sub`, `!GetAtt` and `!If` resolved,
//! conditions taken as true.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json, json};
use yaml_serde::Value as Yaml;

/// A file or folder of the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// The template's text, with its comments.
pub fn text() -> String {
    fs::read_to_string(repository("infra/template.yaml")).expect("infra/template.yaml is there")
}

/// A resource of the template.
pub struct Resource {
    /// Its logical id.
    pub id: String,
    /// Its type, `AWS::...`.
    pub kind: String,
    /// Its properties, resolved. A reference to a resource is `Ref:ID`, one to an attribute `GetAtt:ID.NAME`.
    pub properties: Json,
    /// How `sam build` builds it; empty where it does not.
    pub build_method: String,
    /// `DeletionPolicy` and `UpdateReplacePolicy`.
    pub deletion_policies: [String; 2],
}

/// The resolved template.
pub struct Stack {
    /// Every resource, in the template's order.
    pub resources: Vec<Resource>,
    globals: Json,
}

impl Stack {
    /// Reads the repository's template.
    pub fn load() -> Self {
        let template: Yaml = yaml_serde::from_str(&text()).expect("the template is YAML");
        let parameters = template["Parameters"].as_mapping().expect("the template has parameters");
        let defaults = parameters.iter().map(|(name, body)| (plain(name), json!(plain(&body["Default"])))).collect();
        let resources = template["Resources"].as_mapping().expect("the template has resources");
        let resource = |(id, body): (&Yaml, &Yaml)| Resource {
            id: plain(id),
            kind: plain(&body["Type"]),
            properties: resolve(&body["Properties"], &defaults),
            build_method: plain(&body["Metadata"]["BuildMethod"]),
            deletion_policies: ["DeletionPolicy", "UpdateReplacePolicy"].map(|policy| plain(&body[policy])),
        };
        Self {
            resources: resources.iter().map(resource).collect(),
            globals: resolve(&template["Globals"]["Function"], &defaults),
        }
    }

    /// The resources of one type.
    pub fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Resource> {
        self.resources.iter().filter(move |resource| resource.kind == kind)
    }

    /// The resource that a resolved `!Ref` or `!GetAtt` points at.
    pub fn target(&self, reference: &Json) -> Option<&Resource> {
        let id = reference.as_str()?.split_once(':')?.1.split('.').next()?;
        self.resources.iter().find(|resource| resource.id == id)
    }

    /// A property of a function, wherever it stands: with the function or in the globals.
    pub fn function_property(&self, function: &Resource, pointer: &str) -> Json {
        let own = function.properties.pointer(pointer);
        own.or_else(|| self.globals.pointer(pointer)).cloned().unwrap_or_default()
    }

    /// A function's environment variables.
    pub fn environment(&self, function: &Resource) -> BTreeMap<String, String> {
        let of = |properties: &Json| properties.pointer("/Environment/Variables").and_then(Json::as_object).cloned();
        let text = |value: Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let all = [of(&self.globals), of(&function.properties)].into_iter().flatten().flatten();
        all.map(|(name, value)| (name, text(value))).collect()
    }
}

/// The folder below `functions/` and `events/` that belongs to a function of the template.
pub fn folder(function: &Resource) -> &str {
    let code = function.properties["CodeUri"].as_str().unwrap_or_default();
    code.strip_prefix("../functions/").unwrap_or_else(|| panic!("{}: CodeUri is not in ../functions/", function.id))
}

/// The subfolders of a folder of the repository, sorted.
pub fn folders(path: &str) -> Vec<String> {
    let entries = fs::read_dir(repository(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let entries = entries.map(|entry| entry.expect("the folder can be read"));
    let folders = entries.filter(|entry| entry.path().is_dir());
    let mut names: Vec<_> = folders.map(|folder| folder.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

type Parameters = Map<String, Json>;

fn resolve(value: &Yaml, parameters: &Parameters) -> Json {
    match value {
        Yaml::Tagged(tagged) => call(&tagged.tag.to_string(), &tagged.value, parameters),
        Yaml::Mapping(mapping) => mapping.iter().map(|(key, value)| (plain(key), resolve(value, parameters))).collect(),
        Yaml::Sequence(items) => items.iter().map(|item| resolve(item, parameters)).collect(),
        scalar => serde_json::to_value(scalar).expect("a scalar is JSON"),
    }
}

fn call(tag: &str, argument: &Yaml, parameters: &Parameters) -> Json {
    match tag {
        "!Ref" => reference(&plain(argument), parameters),
        "!GetAtt" => json!(format!("GetAtt:{}", plain(argument))),
        "!Sub" => json!(substitute(&plain(argument), parameters)),
        "!If" => resolve(&argument[1], parameters),
        other => panic!("{other} is not used in the template so far: teach it to tests/tests/template/stack.rs"),
    }
}

fn reference(name: &str, parameters: &Parameters) -> Json {
    parameters.get(name).cloned().unwrap_or_else(|| json!(format!("Ref:{name}")))
}

fn substitute(text: &str, parameters: &Parameters) -> String {
    let Some((before, rest)) = text.split_once("${") else { return text.to_owned() };
    let (name, after) = rest.split_once('}').expect("every ${ is closed");
    let value = match (name.strip_prefix('!'), parameters.get(name).and_then(Json::as_str)) {
        (Some(literal), _) => format!("${{{literal}}}"),
        (None, Some(parameter)) => parameter.to_owned(),
        (None, None) => pseudo_parameter(name),
    };
    format!("{before}{value}{}", substitute(after, parameters))
}

fn pseudo_parameter(name: &str) -> String {
    match name {
        "AWS::Partition" => "aws".to_owned(),
        "AWS::Region" => "eu-central-1".to_owned(),
        "AWS::AccountId" => "123456789012".to_owned(),
        attribute => format!("GetAtt:{attribute}"),
    }
}

fn plain(value: &Yaml) -> String {
    match serde_json::to_value(value).expect("a scalar is JSON") {
        Json::String(text) => text,
        other => other.to_string(),
    }
}
