use qdrant_client::Qdrant;
use qdrant_client::qdrant::payload_index_params::IndexParams;
use qdrant_client::qdrant::{
    Condition, CountPointsBuilder, CreateFieldIndexCollectionBuilder,
    DeleteFieldIndexCollectionBuilder, FieldType, Filter, IntegerIndexParamsBuilder,
    KeywordIndexParamsBuilder, PayloadIndexParams, PayloadSchemaType, ScrollPointsBuilder,
    StopwordsSet, TextIndexParamsBuilder, TokenizerType, UpdateStatus, Value,
};
use resilient_testkit::EmbeddedQdrant;
use tonic::Code;

use crate::support::{DOCS, assert_status, number, point, server_with_docs, upsert, with_payload};

fn index(field: &str, kind: FieldType) -> CreateFieldIndexCollectionBuilder {
    CreateFieldIndexCollectionBuilder::new(DOCS, field, kind).wait(true)
}

async fn texts() -> (EmbeddedQdrant, Qdrant) {
    let (server, client) = server_with_docs().await;
    let text = |id, text: &str| with_payload(id, [("text", text.into())]);
    client
        .upsert_points(upsert(vec![
            text(1, "the quick brown fox"),
            text(2, "a Fox, quick as ever"),
            text(3, "quick fox"),
            text(4, "slow fox"),
            with_payload(5, [("text", vec![Value::from("fox"), Value::from("quick")].into())]),
            point(6),
        ]))
        .await
        .unwrap();
    (server, client)
}

async fn matching(client: &Qdrant, text: &str) -> Vec<u64> {
    let filter = Filter::must([Condition::matches_text("text", text)]);
    let found = client.scroll(ScrollPointsBuilder::new(DOCS).filter(filter)).await.unwrap();
    found.result.into_iter().map(|point| number(point.id)).collect()
}

#[tokio::test]
async fn an_index_is_made_shown_and_deleted() {
    let (_server, client) = texts().await;
    let made = client.create_field_index(index("text", FieldType::Text)).await.unwrap();
    assert_eq!(made.result.unwrap().status(), UpdateStatus::Completed);
    let params = KeywordIndexParamsBuilder::default().is_tenant(true).build();
    let keyword = index("address.\"the city\"", FieldType::Keyword).field_index_params(params);
    client.create_field_index(keyword).await.unwrap();

    let schema = client.collection_info(DOCS).await.unwrap().result.unwrap().payload_schema;
    assert_eq!(schema.len(), 2);
    assert_eq!(schema["text"].data_type(), PayloadSchemaType::Text);
    assert_eq!(schema["text"].points, Some(5));
    let keyword = &schema["address.\"the city\""];
    assert_eq!(keyword.data_type(), PayloadSchemaType::Keyword);
    assert_eq!(keyword.points, Some(0));
    let Some(IndexParams::KeywordIndexParams(params)) =
        keyword.params.as_ref().and_then(|params| params.index_params.as_ref())
    else {
        panic!("the parameters: {keyword:?}");
    };
    assert_eq!(params.is_tenant, Some(true));

    // A service calls both whenever it starts.
    client.create_field_index(index("text", FieldType::Text)).await.unwrap();
    let delete = || DeleteFieldIndexCollectionBuilder::new(DOCS, "text").wait(true);
    client.delete_field_index(delete()).await.unwrap();
    client.delete_field_index(delete()).await.unwrap();
    let schema = client.collection_info(DOCS).await.unwrap().result.unwrap().payload_schema;
    assert_eq!(schema.len(), 1);
}

#[tokio::test]
async fn an_index_goes_with_its_collection() {
    let (_server, client) = texts().await;
    client.create_field_index(index("text", FieldType::Text)).await.unwrap();
    client.delete_collection(DOCS).await.unwrap();
    let create = qdrant_client::qdrant::CreateCollectionBuilder::new(DOCS);
    client.create_collection(create).await.unwrap();
    let info = client.collection_info(DOCS).await.unwrap().result.unwrap();
    assert!(info.payload_schema.is_empty());
}

#[tokio::test]
async fn a_text_match_asks_for_words_with_an_index_and_for_a_part_without() {
    let (_server, client) = texts().await;
    assert_eq!(matching(&client, "fox quick").await, [0u64; 0]);
    assert_eq!(matching(&client, "ick f").await, [3]);
    client.create_field_index(index("text", FieldType::Text)).await.unwrap();
    assert_eq!(matching(&client, "fox quick").await, [1, 2, 3, 5]);
    assert_eq!(matching(&client, "ick f").await, [0u64; 0]);
    assert_eq!(matching(&client, "FOX slow").await, [4]);
    // The index covers later points as well.
    let new = with_payload(7, [("text", "quick, quick, fox!".into())]);
    client.upsert_points(upsert(vec![new])).await.unwrap();
    assert_eq!(matching(&client, "fox quick").await, [1, 2, 3, 5, 7]);
    client.delete_field_index(DeleteFieldIndexCollectionBuilder::new(DOCS, "text")).await.unwrap();
    assert_eq!(matching(&client, "ick f").await, [3]);
}

#[tokio::test]
async fn a_text_index_is_used_by_counts_and_by_writes() {
    let (_server, client) = texts().await;
    client.create_field_index(index("text", FieldType::Text)).await.unwrap();
    let filter = || Filter::must([Condition::matches_text("text", "fox quick")]);
    let count = client.count(CountPointsBuilder::new(DOCS).filter(filter())).await.unwrap();
    assert_eq!(count.result.unwrap().count, 4);
    let delete = qdrant_client::qdrant::DeletePointsBuilder::new(DOCS).points(filter());
    client.delete_points(delete.wait(true)).await.unwrap();
    assert_eq!(matching(&client, "fox").await, [4]);
}

#[tokio::test]
async fn a_text_index_may_lie_within_an_array() {
    let (_server, client) = server_with_docs().await;
    let stop = |text: &str| {
        let fields = [("note".to_owned(), Value::from(text))].into();
        Value {
            kind: Some(qdrant_client::qdrant::value::Kind::StructValue(
                qdrant_client::qdrant::Struct { fields },
            )),
        }
    };
    let stops =
        |id, texts: [&str; 2]| with_payload(id, [("stops", texts.map(stop).to_vec().into())]);
    let points = vec![stops(1, ["quick fox", ""]), stops(2, ["quick", "fox"])];
    client.upsert_points(upsert(points)).await.unwrap();
    client.create_field_index(index("stops[].note", FieldType::Text)).await.unwrap();
    let ids = async |filter: Filter| {
        let found = client.scroll(ScrollPointsBuilder::new(DOCS).filter(filter)).await.unwrap();
        found.result.into_iter().map(|point| number(point.id)).collect::<Vec<_>>()
    };
    let text = |key: &str| Condition::matches_text(key, "fox quick");
    assert_eq!(ids(Filter::must([text("stops[].note")])).await, [1, 2]);
    let nested = Condition::nested("stops", Filter::must([text("note")]));
    assert_eq!(ids(Filter::must([nested])).await, [1], "within one element");
}

#[tokio::test]
async fn the_parameters_of_a_text_index_hold() {
    let (_server, client) = texts().await;
    let params = TextIndexParamsBuilder::new(TokenizerType::Prefix).min_token_len(2);
    let prefix = index("text", FieldType::Text).field_index_params(params.build());
    client.create_field_index(prefix).await.unwrap();
    assert_eq!(matching(&client, "qui fo").await, [1, 2, 3, 5]);
    let mut params = TextIndexParamsBuilder::new(TokenizerType::Word).lowercase(false).build();
    params.stopwords = Some(StopwordsSet { languages: vec![], custom: vec!["quick".into()] });
    let words = index("text", FieldType::Text).field_index_params(params.clone());
    client.create_field_index(words).await.unwrap();
    assert_eq!(matching(&client, "quick Fox").await, [2]);

    params.stopwords = Some(StopwordsSet { languages: vec!["english".into()], custom: vec![] });
    let languages = index("text", FieldType::Text).field_index_params(params);
    assert_status(
        client.create_field_index(languages).await,
        Code::Unimplemented,
        "resilient-testkit does not support stopwords of a language",
    );
}

#[tokio::test]
async fn an_index_that_is_declared_wrongly_is_not_made() {
    let (_server, client) = server_with_docs().await;
    let refused = async |request: CreateFieldIndexCollectionBuilder, words: &str| {
        let result = client.create_field_index(request).await;
        assert_status(result, Code::InvalidArgument, words);
    };
    refused(
        index("", FieldType::Keyword),
        "Validation error in body: [field_name: value \"\" invalid, must be at least 1 characters]",
    )
    .await;
    refused(index("a b", FieldType::Keyword), "Invalid json path: 'a b'").await;
    refused(
        index("a", FieldType::Keyword)
            .field_index_params(IntegerIndexParamsBuilder::new(true, true).build()),
        "field_type (Keyword) and field_index_params do not match",
    )
    .await;
    refused(
        index("a", FieldType::Integer)
            .field_index_params(IntegerIndexParamsBuilder::new(false, false).build()),
        "Validation error in body: [field_index_params.index_params.lookup: the 'lookup' and \
         'range' capabilities can't be both disabled]",
    )
    .await;
    let mut untyped = index("a", FieldType::Keyword).build();
    untyped.field_type = None;
    untyped.field_index_params = Some(PayloadIndexParams { index_params: None });
    let result = client.create_field_index(untyped).await;
    assert_status(result, Code::InvalidArgument, "cannot convert field_type");
    let nowhere = CreateFieldIndexCollectionBuilder::new("nope", "a", FieldType::Keyword);
    assert_status(
        client.create_field_index(nowhere).await,
        Code::NotFound,
        "Not found: Collection `nope` doesn't exist!",
    );
    let delete = DeleteFieldIndexCollectionBuilder::new(DOCS, "");
    assert_status(
        client.delete_field_index(delete).await,
        Code::InvalidArgument,
        "Validation error in body: [field_name: value \"\" invalid, must be at least 1 characters]",
    );
    let info = client.collection_info(DOCS).await.unwrap().result.unwrap();
    assert!(info.payload_schema.is_empty());
}
