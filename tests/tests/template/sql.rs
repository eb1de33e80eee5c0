//! The rule SQL of AWS IoT, as far as the rules use it: which messages a rule passes on, and under which names.

use sqlparser::ast::{BinaryOperator, Expr, Select, SelectItem, SetExpr, Statement, Value as Literal};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

/// What a rule can see of a message besides its payload.
pub struct Message {
    /// Its topic.
    pub topic: String,
    /// The sender's MQTT client id; `n/a` for what was not sent over MQTT.
    pub client_id: &'static str,
}

/// A rule's statement, parsed.
pub struct RuleSql {
    /// The keys of the events it delivers.
    pub aliases: Vec<String>,
    filter: String,
    condition: Expr,
}

impl RuleSql {
    /// Parses `SELECT ... AS ... FROM 'filter' WHERE ...`.
    pub fn parse(sql: &str) -> Self {
        let select = select(sql);
        let filter = select.from.first().map(|table| table.relation.to_string()).expect("FROM names a topic filter");
        Self {
            aliases: select.projection.iter().map(alias).collect(),
            filter: filter.trim_matches('\'').to_owned(),
            condition: select.selection.unwrap_or_else(|| panic!("a rule without WHERE: {sql}")),
        }
    }

    /// Whether the rule passes `message` on.
    pub fn passes(&self, message: &Message) -> bool {
        rumqttc::matches(&message.topic, &self.filter) && holds(&self.condition, message)
    }
}

fn select(sql: &str) -> Select {
    let statements = Parser::parse_sql(&GenericDialect {}, sql).unwrap_or_else(|error| panic!("{error}: {sql}"));
    let [Statement::Query(query)] = &statements[..] else { panic!("not one query: {sql}") };
    let SetExpr::Select(select) = &*query.body else { panic!("no SELECT: {sql}") };
    Select::clone(select)
}

fn alias(item: &SelectItem) -> String {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => alias.value.clone(),
        other => panic!("`{other}` has no alias: keys of the device would mix with ours"),
    }
}

fn holds(condition: &Expr, message: &Message) -> bool {
    match condition {
        Expr::Nested(inner) => holds(inner, message),
        Expr::BinaryOp { left, op, right } => match op {
            BinaryOperator::And => holds(left, message) && holds(right, message),
            BinaryOperator::Or => holds(left, message) || holds(right, message),
            BinaryOperator::Eq => value(left, message) == value(right, message),
            BinaryOperator::NotEq => value(left, message) != value(right, message),
            other => panic!("`{other}` is not used in the rules so far: teach it to tests/tests/template/sql.rs"),
        },
        other => panic!("`{other}` is no condition that tests/tests/template/sql.rs knows"),
    }
}

/// What an operand stands for; `None` is the rules engine's Undefined, for a level that the topic does not have.
fn value(operand: &Expr, message: &Message) -> Option<String> {
    if let Expr::Value(literal) = operand {
        let Literal::SingleQuotedString(text) = &literal.value else { panic!("`{literal}` is no text") };
        return Some(text.clone());
    }
    let call = operand.to_string();
    let level = call.strip_prefix("topic(").and_then(|rest| rest.strip_suffix(')')?.parse::<usize>().ok());
    match (call.as_str(), level) {
        ("clientid()", _) => Some(message.client_id.to_owned()),
        (_, Some(level)) => message.topic.split('/').nth(level - 1).map(str::to_owned),
        _ => panic!("`{call}` is no operand that tests/tests/template/sql.rs knows"),
    }
}
