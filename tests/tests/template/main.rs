//! `infra/template.yaml` against the code, without a cloud: topics, names and permissions agree, and a new
//! function is told what it still lacks.

mod events;
mod functions;
mod iam;
mod names;
mod permissions;
mod policies;
mod rules;
mod sql;
mod stack;
mod streams;
