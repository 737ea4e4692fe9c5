//! The Lambda function; all it does is in the library beside it.

use lambda_http::{Error, run};
use vestibule::{app::App, domain::Resolver, web};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let app = App::from_env().await?;
    let resolver = Resolver::from_env()?;
    run(vestibule_console::router(app, resolver.into()).fallback(web::not_found)).await
}
