//! The SAM template: which functions it has, and the template again once their code is uploaded.

use std::{
    fs,
    path::{Path, PathBuf},
};

use yaml_serde::{Mapping, Value};

use crate::error::{Error, Result};

/// A SAM template and the folder that its relative paths start from.
pub(crate) struct Template {
    document: Value,
    folder: PathBuf,
}

/// A function of the template.
pub(crate) struct Function {
    /// Its key among the template's resources.
    pub logical_id: String,
    /// The folder of its crate.
    pub folder: PathBuf,
}

impl Template {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(Error::file(path))?;
        let document = yaml_serde::from_str(&text).map_err(|error| Error::Template(error.to_string()))?;
        let folder = path.parent().unwrap_or(Path::new(".")).to_owned();
        Ok(Self { document, folder })
    }

    /// Every `AWS::Serverless::Function` whose code lies in a folder of this workspace.
    pub(crate) fn functions(&self) -> Result<Vec<Function>> {
        let resources = self.document.get("Resources").and_then(Value::as_mapping);
        let resources = resources.ok_or_else(|| Error::Template("it has no Resources".to_owned()))?;
        let functions = resources.iter().filter(|(_, resource)| is_function(resource));
        functions.map(|(name, resource)| self.function(name, resource)).collect()
    }

    /// Whether it has a parameter of this name.
    pub(crate) fn has_parameter(&self, name: &str) -> bool {
        self.document.get("Parameters").is_some_and(|parameters| parameters.get(name).is_some())
    }

    fn function(&self, name: &Value, resource: &Value) -> Result<Function> {
        let logical_id = name.as_str().unwrap_or_default().to_owned();
        let code = resource.get("Properties").and_then(|properties| properties.get("CodeUri")).and_then(Value::as_str);
        let code = code.ok_or_else(|| Error::Template(format!("{logical_id} has no CodeUri that names a folder")))?;
        let folder = self.folder.join(code);
        let folder = folder.canonicalize().map_err(Error::file(&folder))?;
        Ok(Function { logical_id, folder })
    }

    /// The template as `sam package` writes it: code is fetched from `bucket`, under each function's logical id.
    pub(crate) fn packaged(mut self, bucket: &str, functions: &[Function]) -> Result<String> {
        for function in functions {
            let properties = self.properties(&function.logical_id);
            let properties = properties.ok_or_else(|| Error::Template("a function vanished".to_owned()))?;
            properties.insert("CodeUri".into(), format!("s3://{bucket}/{}", function.logical_id).into());
        }
        yaml_serde::to_string(&self.document).map_err(|error| Error::Template(error.to_string()))
    }

    fn properties(&mut self, logical_id: &str) -> Option<&mut Mapping> {
        self.document.get_mut("Resources")?.get_mut(logical_id)?.get_mut("Properties")?.as_mapping_mut()
    }
}

fn is_function(resource: &Value) -> bool {
    resource.get("Type").and_then(Value::as_str) == Some("AWS::Serverless::Function")
}
