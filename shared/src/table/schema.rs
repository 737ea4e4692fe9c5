//! The tables as `template.yaml` defines them, for engines that start empty.

use aws_sdk_dynamodb::{
    operation::describe_table::DescribeTableError,
    types::{
        AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, StreamSpecification,
        StreamViewType, TimeToLiveSpecification,
    },
};

use super::{PARTITION, SORT, Store, StoreError, TTL, Table};

impl Store {
    /// Creates the tables that do not exist yet. A deployment's tables come from `template.yaml` instead.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the engine refuses.
    pub async fn create_tables(&self) -> Result<(), StoreError> {
        for table in Table::ALL {
            let name = table.name(&self.prefix);
            let existing = self.client.describe_table().table_name(&name).send().await;
            match existing {
                Ok(_) => continue,
                Err(error)
                    if error.as_service_error().is_some_and(DescribeTableError::is_resource_not_found_exception) => {}
                Err(error) => return Err(StoreError::unavailable(&error)),
            }
            self.create_table(table, &name).await?;
        }
        Ok(())
    }

    async fn create_table(&self, table: Table, name: &str) -> Result<(), StoreError> {
        let mut request = self.client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
        for (attribute, kind) in [(PARTITION, KeyType::Hash), (SORT, KeyType::Range)] {
            request = request
                .attribute_definitions(
                    AttributeDefinition::builder()
                        .attribute_name(attribute)
                        .attribute_type(ScalarAttributeType::S)
                        .build()
                        .map_err(StoreError::unbuilt)?,
                )
                .key_schema(
                    KeySchemaElement::builder()
                        .attribute_name(attribute)
                        .key_type(kind)
                        .build()
                        .map_err(StoreError::unbuilt)?,
                );
        }
        if table == Table::Journal {
            let stream = StreamSpecification::builder()
                .stream_enabled(true)
                .stream_view_type(StreamViewType::NewImage)
                .build()
                .map_err(StoreError::unbuilt)?;
            request = request.stream_specification(stream);
        }
        request.send().await.map_err(|error| StoreError::unavailable(&error))?;
        if table == Table::Ephemeral {
            let ttl = TimeToLiveSpecification::builder()
                .enabled(true)
                .attribute_name(TTL)
                .build()
                .map_err(StoreError::unbuilt)?;
            self.client
                .update_time_to_live()
                .table_name(name)
                .time_to_live_specification(ttl)
                .send()
                .await
                .map_err(|error| StoreError::unavailable(&error))?;
        }
        Ok(())
    }
}
