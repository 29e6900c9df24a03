//! An airline: `GET /offers?from=&to=&date=` answers JSON, and `POST /bookings` with a passenger as well books.
//!
//! It counts its tickets at `GET /bookings`, for whoever asks it directly.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Json, Router,
    extract::{Query, State},
    routing::get,
};
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

#[derive(Deserialize)]
struct Booking {
    from: String,
    to: String,
    date: String,
    passenger: String,
}

/// Tickets sold.
type Sold = Arc<AtomicUsize>;

fn airports() -> Value {
    json!({"airports": ["CDG", "JFK", "LHR"]})
}

/// The service.
pub(crate) fn router() -> Router {
    Router::new()
        .route("/offers", get(|Query(search): Query<Search>| async move { Json(offers(&search)) }))
        .route("/airports", get(|| async { Json(airports()) }))
        .route("/bookings", get(tickets).post(book))
        .with_state(Sold::default())
}

async fn tickets(State(sold): State<Sold>) -> Json<Value> {
    Json(json!({"tickets": sold.load(Ordering::SeqCst)}))
}

async fn book(State(sold): State<Sold>, Query(booking): Query<Booking>) -> Json<Value> {
    let Booking { from, to, date, passenger } = booking;
    let ticket = sold.fetch_add(1, Ordering::SeqCst) + 1;
    Json(json!({"ticket": ticket, "from": from, "to": to, "date": date, "passenger": passenger}))
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
