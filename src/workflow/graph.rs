//! The order of activities: what comes before what.
//!
//! Guarantees: an order exists or the cycle is named. Deliberately absent: what the end of one activity means for
//! those that follow it (`condition`).

use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// Why a graph cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadGraph {
    /// Two nodes of one name.
    #[error("two activities have the id {0:?}")]
    Duplicate(String),
    /// An edge from nowhere.
    #[error("activity {node:?} needs {need:?}, which is no activity of this workflow")]
    UnknownNeed {
        /// The node.
        node: String,
        /// What it asks for.
        need: String,
    },
    /// A circle of needs, in the order in which each needs the next, the first repeated at the end.
    #[error("activities need one another in a circle: {}", .0.join(" needs "))]
    Cycle(Vec<String>),
}

/// A node and the nodes it needs.
#[derive(Debug, Clone, Copy)]
pub struct Node<'a> {
    /// Its id.
    pub id: &'a str,
    /// Ids it follows.
    pub needs: &'a [String],
}

/// Positions of the nodes in an order where needs come first; nodes that do not depend on one another keep theirs.
///
/// # Errors
/// A duplicate id, an unknown need, or a cycle.
pub fn order(nodes: &[Node<'_>]) -> Result<Vec<usize>, BadGraph> {
    let mut place = BTreeMap::new();
    for (at, node) in nodes.iter().enumerate() {
        if place.insert(node.id, at).is_some() {
            return Err(BadGraph::Duplicate(node.id.to_owned()));
        }
    }
    let mut open: Vec<BTreeSet<usize>> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let needs = node.needs.iter().map(|need| {
            place.get(need.as_str()).copied().ok_or_else(|| BadGraph::UnknownNeed {
                node: node.id.to_owned(),
                need: need.clone(),
            })
        });
        open.push(needs.collect::<Result<_, _>>()?);
    }
    let mut ordered = Vec::with_capacity(nodes.len());
    let mut left: BTreeSet<usize> = (0..nodes.len()).collect();
    while let Some(next) = left.iter().copied().find(|at| open[*at].is_empty()) {
        left.remove(&next);
        for needs in &mut open {
            needs.remove(&next);
        }
        ordered.push(next);
    }
    match left.first() {
        None => Ok(ordered),
        Some(start) => Err(BadGraph::Cycle(cycle(nodes, &open, *start))),
    }
}

/// One circle among nodes that all have an open need: follow any need until a node comes again.
fn cycle(nodes: &[Node<'_>], open: &[BTreeSet<usize>], start: usize) -> Vec<String> {
    let mut path = vec![start];
    loop {
        let last = path[path.len() - 1];
        let next = *open[last].first().expect("every node that is left has an open need");
        if let Some(from) = path.iter().position(|at| *at == next) {
            path.drain(..from);
            path.push(next);
            return path.into_iter().map(|at| nodes[at].id.to_owned()).collect();
        }
        path.push(next);
    }
}

/// Every node that comes before one, directly or not.
pub fn ancestors<'a>(nodes: &[Node<'a>], id: &str) -> BTreeSet<&'a str> {
    let needs_of = |id: &str| {
        nodes
            .iter()
            .find(|node| node.id == id)
            .map_or(&[][..], |node| node.needs)
    };
    let mut found = BTreeSet::new();
    let mut open: Vec<&str> = needs_of(id).iter().map(String::as_str).collect();
    while let Some(id) = open.pop() {
        if found.insert(id) {
            open.extend(needs_of(id).iter().map(String::as_str));
        }
    }
    found
}

/// Every node that comes after one, directly or not: what goes when it is deleted.
pub fn successors<'a>(nodes: &[Node<'a>], id: &str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open = vec![id];
    while let Some(id) = open.pop() {
        for node in nodes.iter().filter(|node| node.needs.iter().any(|need| need == id)) {
            if found.insert(node.id) {
                open.push(node.id);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::BadGraph;
    use super::Node;
    use super::ancestors;
    use super::order;
    use super::successors;

    fn with_graph<T>(edges: &[(&str, &[&str])], check: impl Fn(&[Node<'_>]) -> T) -> T {
        let needs: Vec<Vec<String>> = edges
            .iter()
            .map(|(_, needs)| needs.iter().map(|need| (*need).to_owned()).collect())
            .collect();
        let nodes: Vec<Node<'_>> = edges
            .iter()
            .zip(&needs)
            .map(|((id, _), needs)| Node { id, needs })
            .collect();
        check(&nodes)
    }

    #[test]
    fn needs_come_first_and_the_rest_keeps_its_order() {
        let edges: &[(&str, &[&str])] = &[("d", &["b", "c"]), ("a", &[]), ("c", &["a"]), ("b", &["a"]), ("x", &[])];
        with_graph(edges, |nodes| {
            let ordered: Vec<&str> = order(nodes)
                .expect("no cycle")
                .into_iter()
                .map(|at| nodes[at].id)
                .collect();
            assert_eq!(ordered, ["a", "c", "b", "d", "x"]);
            assert_eq!(ancestors(nodes, "d").into_iter().collect::<Vec<_>>(), ["a", "b", "c"]);
            assert_eq!(successors(nodes, "a").into_iter().collect::<Vec<_>>(), ["b", "c", "d"]);
        });
    }

    #[test]
    fn a_cycle_is_named_without_what_merely_leads_to_it() {
        let edges: &[(&str, &[&str])] = &[("lead", &["b"]), ("a", &["c"]), ("b", &["a"]), ("c", &["b"])];
        let error = with_graph(edges, order).expect_err("a cycle");
        let BadGraph::Cycle(path) = &error else {
            panic!("{error}")
        };
        assert_eq!(path.first(), path.last());
        assert_eq!(path.len(), 4);
        assert!(!path.contains(&"lead".to_owned()));
        let own = with_graph(&[("a", &["a"])], order).expect_err("a cycle");
        assert_eq!(own.to_string(), "activities need one another in a circle: a needs a");
    }

    #[test]
    fn unknown_needs_and_duplicates_are_named() {
        let unknown = with_graph(&[("a", &["b"])], order).expect_err("unknown");
        assert!(unknown.to_string().contains("\"a\" needs \"b\""), "{unknown}");
        assert!(matches!(with_graph(&[("a", &[]), ("a", &[])], order), Err(BadGraph::Duplicate(id)) if id == "a"));
    }
}
