//! The graph of a workflow as people and pages see it: nodes and edges, Start and End among them.
//!
//! Guarantees: every activity lies on a way from Start to End; an edge carries the condition of the node it leads to.
//! Deliberately absent: places of nodes on a page, and what happened in a task.

use crate::workflow::resolved::Activity;
use crate::workflow::resolved::When;

/// A graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    /// Start, the activities with needs before dependants, End.
    pub nodes: Vec<Node>,
    /// In the order of the nodes they lead to.
    pub edges: Vec<Edge>,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Unique in the graph.
    pub id: String,
    /// `Start`, `End`, or the type of the activity.
    pub kind: String,
    /// Does not count for the task's success.
    pub optional: bool,
}

/// A way from one node to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// Where it begins.
    pub from: String,
    /// Where it leads.
    pub to: String,
    /// `success`, `failure`, `always`, `blocked`, or an expression.
    pub when: String,
}

/// An activity as far as a graph shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sketched {
    /// Its id.
    pub id: String,
    /// Its type.
    pub kind: String,
    /// Ids of what it follows.
    pub needs: Vec<String>,
    /// Its condition; none: success.
    pub when: Option<String>,
    /// Does not count for the task's success.
    pub optional: bool,
}

/// The graph of these activities.
pub fn of(activities: &[Activity]) -> Graph {
    let rows = activities.iter().map(|activity| Sketched {
        id: activity.id.clone(),
        kind: activity.kind.as_str().to_owned(),
        needs: activity.needs.clone(),
        when: Some(words(&activity.when)),
        optional: activity.optional,
    });
    sketch(&rows.collect::<Vec<_>>())
}

/// The same of activities that may be wrong: an id that stands twice is shown once, a need that nothing has is left out,
/// and written Start and End nodes are the implied ones.
pub fn sketch(rows: &[Sketched]) -> Graph {
    let is_edge = |row: &&Sketched| !["start", "end"].contains(&row.kind.to_lowercase().as_str());
    let mut shown: Vec<&Sketched> = Vec::new();
    for row in rows.iter().filter(is_edge) {
        if !shown.iter().any(|known| known.id == row.id) {
            shown.push(row);
        }
    }
    let taken = |word: &str| shown.iter().any(|row| row.id == word);
    // An activity may have either word for its id.
    let free = |word: &str| match taken(word) {
        false => word.to_owned(),
        true => (2..)
            .map(|number| format!("{word}-{number}"))
            .find(|word| !taken(word))
            .expect("there are more numbers than activities"),
    };
    let (start, end) = (free("Start"), free("End"));
    let edge_node = |id: &str, kind: &str| Node {
        id: id.to_owned(),
        kind: kind.to_owned(),
        optional: false,
    };
    let mut nodes = vec![edge_node(&start, "Start")];
    let mut edges = Vec::new();
    for row in &shown {
        nodes.push(Node {
            id: row.id.clone(),
            kind: row.kind.clone(),
            optional: row.optional,
        });
        let mut lead = |from: &str, when: String| {
            edges.push(Edge {
                from: from.to_owned(),
                to: row.id.clone(),
                when,
            });
        };
        let needs: Vec<&String> = row.needs.iter().filter(|need| taken(need)).collect();
        let when = row.when.clone().unwrap_or_else(|| "success".to_owned());
        match needs.is_empty() {
            true => lead(&start, "always".to_owned()),
            false => needs.into_iter().for_each(|need| lead(need, when.clone())),
        }
    }
    nodes.push(edge_node(&end, "End"));
    let last = shown
        .iter()
        .filter(|row| !shown.iter().any(|other| other.needs.contains(&row.id)));
    edges.extend(last.map(|row| Edge {
        from: row.id.clone(),
        to: end.clone(),
        when: "always".to_owned(),
    }));
    Graph { nodes, edges }
}

/// A condition as definitions write it.
pub fn words(when: &When) -> String {
    match when {
        When::Success => "success".to_owned(),
        When::Failure => "failure".to_owned(),
        When::Always => "always".to_owned(),
        When::Blocked => "blocked".to_owned(),
        When::Expression(expression) => expression.as_str().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::workflow::definition::Definition;
    use crate::workflow::resolve::resolve;
    use crate::workflow::template::Templates;

    #[test]
    fn start_and_end_close_the_graph_and_edges_carry_conditions() {
        let text = "name = \"w\"\n[source]\nstorage = \"a\"\n\
            [[activity]]\nid = \"facts\"\ntype = \"analysis\"\n\
            [[activity]]\nid = \"End\"\ntype = \"noop\"\nneeds = [\"facts\"]\nwhen = \"height >= 2160\"\n\
            [[activity]]\nid = \"else\"\ntype = \"noop\"\nneeds = [\"facts\"]\nwhen = \"failure\"\n\
            [[activity]]\nid = \"beside\"\ntype = \"noop\"\n";
        let definition = Definition::from_toml(text).expect("reads");
        let graph = of(&resolve(&definition, &Templates::shipped())
            .expect("resolves")
            .activities);
        let nodes: Vec<&str> = graph.nodes.iter().map(|node| node.id.as_str()).collect();
        assert_eq!(nodes, ["Start", "facts", "End", "else", "beside", "End-2"]);
        let edges: Vec<String> = graph
            .edges
            .iter()
            .map(|edge| format!("{} -{}-> {}", edge.from, edge.when, edge.to))
            .collect();
        assert_eq!(
            edges,
            [
                "Start -always-> facts",
                "facts -height >= 2160-> End",
                "facts -failure-> else",
                "Start -always-> beside",
                "End -always-> End-2",
                "else -always-> End-2",
                "beside -always-> End-2",
            ]
        );
    }
}
