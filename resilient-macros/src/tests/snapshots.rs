//! What the attribute writes for functions, calls and blocks that stand for all others. After a change on
//! purpose, `INSTA_UPDATE=always cargo test -p resilient-macros` writes the snapshots anew: read
//! them as code that a user will step through.

use proc_macro2::TokenStream;
use quote::quote;

use crate::attribute::expand as resilient;
use crate::guard::expand as guard;

/// The expansion, formatted.
fn expansion(args: TokenStream, item: &TokenStream) -> String {
    let file = syn::parse2(resilient(args, item)).expect("the expansion is Rust");
    prettyplease::unparse(&file)
}

#[test]
fn retry_and_breaker() {
    insta::assert_snapshot!(expansion(
        quote!(retry = "rate_limit_error", breaker = "search"),
        &quote! {
            /// Finds documents.
            pub async fn search(client: &Qdrant, vector: Vec<f32>) -> QdrantResult<Hits> {
                client.search(vector).await
            }
        }
    ));
}

#[test]
fn retry_alone_with_every_kind_of_parameter() {
    insta::assert_snapshot!(expansion(
        quote!(retry(row = "timeout_error", max_attempts = 4, jitter = 0.2)),
        &quote! {
            async fn load(
                &self,
                mut name: String,
                (first, _): (u32, u8),
                log: &mut Log,
                view: &str,
                #[cfg(feature = "trace")] trace: Id,
            ) -> Result<impl Iterator<Item = u32>, Error> {
                self.load(name, first, log, view).await
            }
        }
    ));
}

#[test]
fn mutable_self() {
    insta::assert_snapshot!(expansion(
        quote!(retry = "auto", breaker = "search"),
        &quote! {
            async fn next(&mut self, page: u32) -> Result<Page, Error> {
                self.pages += 1;
                self.client.scroll(page).await
            }
        }
    ));
}

#[test]
fn guarded_call() {
    let input = quote! {
        attempt_timeout = "2s", breaker = "search/{tenant.name}";
        move client.query(query.clone())
    };
    let future = guard(input);
    let function = syn::parse2(quote!(fn search() -> impl Future { #future }));
    insta::assert_snapshot!(prettyplease::unparse(&function.expect("the expansion is Rust")));
}

#[test]
fn breaker_alone() {
    insta::assert_snapshot!(expansion(
        quote!(breaker(
            name = "writes",
            window = "30s",
            failure_rate = 0.3,
            open_duration = "1m",
            open_duration_multiplier = 2,
            trip_on = ["timeout_error", "not_found_error"],
        )),
        &quote! {
            async fn write(self, batch: Batch) -> Result<(), Error> {
                self.send(batch).await
            }
        }
    ));
}

#[test]
fn numbers_and_durations_in_constants() {
    insta::assert_snapshot!(expansion(
        quote!(
            retry(max_attempts = ATTEMPTS, base_delay = limits::BASE_DELAY, max_delay = "5s"),
            breaker(name = "writes", window = WINDOW, failure_rate = Limits::RATE),
            attempt_timeout = "2s",
            deadline = DEADLINE,
            idempotent = false,
        ),
        &quote! {
            async fn write(batch: &Batch) -> Result<(), Error> {
                send(batch).await
            }
        }
    ));
}

#[test]
fn self_by_value() {
    insta::assert_snapshot!(expansion(
        quote!(retry = "auto"),
        &quote! {
            async fn run(self: Arc<Self>) -> Result<(), Error> {
                spawn(self.work()).await
            }
        }
    ));
}

#[test]
fn a_method_of_async_trait() {
    insta::assert_snapshot!(expansion(
        quote!(retry = "auto", breaker(name = "boxed", scope = "attempt")),
        &quote! {
            fn ask<'life0, 'async_trait>(
                &'life0 mut self,
                question: String,
            ) -> ::core::pin::Pin<Box<
                dyn ::core::future::Future<Output = Result<u32, Error>> + Send + 'async_trait,
            >>
            where
                'life0: 'async_trait,
            {
                Box::pin(async move {
                    let mut __self = self;
                    let question = question;
                    let __ret: Result<u32, Error> = { __self.ask(question).await };
                    __ret
                })
            }
        }
    ));
}

#[test]
fn a_body_that_knows_its_attempt() {
    insta::assert_snapshot!(expansion(
        quote!(retry = "auto", attempt = ctx),
        &quote! {
            async fn upsert(points: &[Point]) -> Result<(), Error> {
                if points.is_empty() {
                    ctx.nothing_sent();
                    return Ok(());
                }
                send(points).await
            }
        }
    ));
}

#[test]
fn an_impl_block() {
    insta::assert_snapshot!(expansion(
        quote!(retry = "auto"),
        &quote! {
            impl Store {
                async fn first(&self) -> Result<u32, Error> {
                    self.ask().await
                }

                #[resilient(skip)]
                async fn second(&self) -> Result<u32, Error> {
                    self.ask().await
                }
            }
        }
    ));
}

#[test]
fn an_impl_block_that_passes_over_methods() {
    insta::assert_snapshot!(expansion(
        quote!(retry = "auto"),
        &quote! {
            #[cfg(feature = "store")]
            impl<T> repo::Repo<Docs, u32> for app::Store<T> {
                async fn count(&self) -> Result<u32, Error> {
                    self.ask().await
                }

                #[cfg(feature = "scroll")]
                fn scroll(&self) -> impl Stream<Item = Page> {
                    self.pages()
                }

                async fn size(&self) -> u32 {
                    self.pages().count().await
                }
            }
        }
    ));
}
