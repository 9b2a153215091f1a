use qdrant_client::Qdrant;
use qdrant_client::qdrant::r#match::MatchValue;
use qdrant_client::qdrant::{
    Condition, FieldCondition, Filter, GeoPoint, GeoRadius, Match, PointId, Range, RepeatedStrings,
    ScrollPointsBuilder, SliceCondition, Value, ValuesCount, condition::ConditionOneOf,
};
use resilient_testkit::EmbeddedQdrant;
use tonic::Code;

use crate::support::{DOCS, assert_status, number, point, server_with_docs, upsert, with_payload};

fn object<const N: usize>(entries: [(&str, Value); N]) -> Value {
    let fields = entries.map(|(key, value)| (key.to_owned(), value));
    Value {
        kind: Some(qdrant_client::qdrant::value::Kind::StructValue(
            qdrant_client::qdrant::Struct { fields: fields.into() },
        )),
    }
}

fn null() -> Value {
    Value { kind: Some(qdrant_client::qdrant::value::Kind::NullValue(0)) }
}

async fn towns() -> (EmbeddedQdrant, Qdrant) {
    let (server, client) = server_with_docs().await;
    let stop = |city: &str, nights: i64| object([("city", city.into()), ("nights", nights.into())]);
    client
        .upsert_points(upsert(vec![
            with_payload(
                1,
                [
                    ("city", "Oslo".into()),
                    ("size", 7.into()),
                    ("port", true.into()),
                    ("tags", vec![Value::from("fjord"), Value::from("capital")].into()),
                ],
            ),
            with_payload(
                2,
                [
                    ("city", "Bergen".into()),
                    ("size", 2.5.into()),
                    ("port", false.into()),
                    ("tags", Vec::<Value>::new().into()),
                ],
            ),
            with_payload(
                3,
                [
                    ("city", null()),
                    ("address", object([("zip", 7.into())])),
                    ("stops", vec![stop("Oslo", 1), stop("Bergen", 9)].into()),
                ],
            ),
            point(4),
        ]))
        .await
        .unwrap();
    (server, client)
}

async fn ids(client: &Qdrant, filter: Filter) -> Vec<u64> {
    let found = client.scroll(ScrollPointsBuilder::new(DOCS).filter(filter)).await.unwrap();
    found.result.into_iter().map(|p| number(p.id)).collect()
}

async fn assert_matches(condition: impl Into<Condition>, expected: &[u64]) {
    let (_server, client) = towns().await;
    assert_eq!(ids(&client, Filter::must([condition.into()])).await, expected);
}

fn size(range: Range) -> Condition {
    Condition::range("size", range)
}

#[tokio::test]
async fn a_keyword_matches_a_string_or_an_element() {
    assert_matches(Condition::matches("city", "Oslo".to_owned()), &[1]).await;
    assert_matches(Condition::matches("tags", "capital".to_owned()), &[1]).await;
}

#[tokio::test]
async fn integers_and_booleans_match_their_like() {
    assert_matches(Condition::matches("size", 7), &[1]).await;
    assert_matches(Condition::matches("port", false), &[2]).await;
}

#[tokio::test]
async fn any_and_except_take_several_values() {
    let cities = || vec!["Oslo".to_owned(), "Bergen".to_owned()];
    assert_matches(Condition::matches("city", cities()), &[1, 2]).await;
    assert_matches(Condition::matches("size", vec![7, 8]), &[1]).await;
    let except = |strings| MatchValue::ExceptKeywords(RepeatedStrings { strings });
    let except = |cities| Condition::matches("city", except(cities));
    assert_matches(except(vec!["Oslo".to_owned()]), &[2]).await;
}

#[tokio::test]
async fn a_range_takes_integers_and_floats() {
    let range = |gt, lte| size(Range { gt, lte, ..Range::default() });
    assert_matches(range(Some(2.0), Some(7.0)), &[1, 2]).await;
    assert_matches(range(Some(2.5), None), &[1]).await;
    assert_matches(range(None, Some(2.5)), &[2]).await;
}

#[tokio::test]
async fn ids_are_matched() {
    assert_matches(Condition::has_id([4, 2, 99].map(PointId::from)), &[2, 4]).await;
}

#[tokio::test]
async fn empty_and_null_fields_are_found() {
    assert_matches(Condition::is_empty("tags"), &[2, 3, 4]).await;
    assert_matches(Condition::is_empty("city"), &[3, 4]).await;
    assert_matches(Condition::is_null("city"), &[3]).await;
}

#[tokio::test]
async fn values_are_counted() {
    let two = ValuesCount { gte: Some(2), ..ValuesCount::default() };
    assert_matches(Condition::values_count("tags", two), &[1]).await;
}

#[tokio::test]
async fn paths_lead_into_objects_and_through_lists() {
    assert_matches(Condition::matches("address.zip", 7), &[3]).await;
    assert_matches(Condition::matches("stops[].nights", 9), &[3]).await;
    assert_matches(Condition::matches("stops[0].nights", 9), &[]).await;
}

#[tokio::test]
async fn a_nested_filter_holds_for_one_element_at_a_time() {
    let nested = |city: &str, nights| {
        Condition::nested(
            "stops",
            Filter::must([
                Condition::matches("city", city.to_owned()),
                Condition::matches("nights", nights),
            ]),
        )
    };
    assert_matches(nested("Bergen", 9), &[3]).await;
    assert_matches(nested("Oslo", 9), &[]).await;
}

#[tokio::test]
async fn the_parts_of_a_filter_all_hold() {
    let (_server, client) = towns().await;
    let oslo = || Condition::matches("city", "Oslo".to_owned());
    let bergen = || Condition::matches("city", "Bergen".to_owned());
    let no_port = || Condition::matches("port", false);

    assert_eq!(ids(&client, Filter::should([oslo(), bergen()])).await, [1, 2]);
    assert_eq!(ids(&client, Filter::must_not([oslo()])).await, [2, 3, 4]);
    let mut all = Filter::should([oslo(), bergen()]);
    all.must_not = vec![no_port()];
    assert_eq!(ids(&client, all).await, [1]);
    let two_of = Filter::min_should(2, [oslo(), bergen(), no_port()]);
    assert_eq!(ids(&client, two_of).await, [2]);
    let inner = Filter::must([Filter::should([oslo(), bergen()]).into(), no_port()]);
    assert_eq!(ids(&client, inner).await, [2]);
    assert_eq!(ids(&client, Filter::default()).await, [1, 2, 3, 4]);
}

#[tokio::test]
async fn a_condition_that_is_not_supported_is_refused_and_not_passed_over() {
    let (_server, client) = towns().await;
    let refuse = async |condition: Condition, name: &str| {
        let scroll = ScrollPointsBuilder::new(DOCS).filter(Filter::must([condition]));
        assert_status(
            client.scroll(scroll).await,
            Code::InvalidArgument,
            &format!("resilient-testkit does not support the condition {name}"),
        );
    };
    let radius = GeoRadius { center: Some(GeoPoint { lon: 0.0, lat: 0.0 }), radius: 1.0 };
    refuse(Condition::geo_radius("place", radius), "geo_radius").await;
    let phrase = Condition::from(FieldCondition {
        key: "city".to_owned(),
        r#match: Some(Match { match_value: Some(MatchValue::Phrase("x".to_owned())) }),
        ..FieldCondition::default()
    });
    refuse(phrase, "match phrase").await;
    let slice = Condition {
        condition_one_of: Some(ConditionOneOf::Slice(SliceCondition { total: 2, index: 0 })),
    };
    refuse(slice, "slice").await;
}
