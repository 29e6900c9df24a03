//! A search for flights: `GET /offers?from=&to=&date=` answers JSON.

use axum::{Json, Router, extract::Query, routing::get};
use serde::Deserialize;
use serde_json::{Value, json};

/// Flight, from, to, date, time of departure, price in dollars.
const OFFERS: [(&str, &str, &str, &str, &str, u32); 5] = [
    ("WR101", "JFK", "LHR", "2026-05-10", "18:30", 480),
    ("WR103", "JFK", "LHR", "2026-05-10", "21:45", 415),
    ("WR105", "JFK", "LHR", "2026-05-11", "18:30", 390),
    ("WR201", "JFK", "CDG", "2026-05-10", "19:10", 450),
    ("WR102", "LHR", "JFK", "2026-05-16", "11:00", 505),
];

#[derive(Deserialize)]
struct Search {
    from: String,
    to: String,
    date: String,
}

fn airports() -> Value {
    json!({"airports": ["CDG", "JFK", "LHR"]})
}

/// The service.
pub(crate) fn router() -> Router {
    Router::new()
        .route("/offers", get(|Query(search): Query<Search>| async move { Json(offers(&search)) }))
        .route("/airports", get(|| async { Json(airports()) }))
}

fn offers(search: &Search) -> Value {
    let matching = OFFERS.iter().filter(|(_, from, to, date, ..)| {
        (*from, *to, *date) == (search.from.as_str(), search.to.as_str(), search.date.as_str())
    });
    let offers: Vec<Value> = matching
        .map(|(flight, from, to, date, departs, price)| {
            json!({"flight": flight, "from": from, "to": to, "date": date, "departs": departs, "price": price})
        })
        .collect();
    json!({"offers": offers})
}
