//! The tables as `template.yaml` defines them, for engines that start empty. Nothing was ever released with other tables, so
//! there is no upgrade: of a table that is there already, indexes that it lacks are added, and nothing else is changed.

use aws_sdk_dynamodb::{
    operation::describe_table::DescribeTableError,
    types::{
        AttributeDefinition, BillingMode, CreateGlobalSecondaryIndexAction, GlobalSecondaryIndex,
        GlobalSecondaryIndexUpdate, KeySchemaElement, KeyType, Projection, ProjectionType, ScalarAttributeType,
        StreamSpecification, StreamViewType, TableDescription, TimeToLiveSpecification,
    },
};

use super::{PARTITION, SORT, Store, StoreError, TTL, Table, due, people};

/// An attribute of a key, with its type.
type Attribute = (&'static str, ScalarAttributeType);

/// A secondary index.
struct Index {
    name: &'static str,
    partition: Attribute,
    sort: Attribute,
    /// The attributes that it holds beside the keys.
    projected: &'static [&'static str],
}

impl Table {
    fn indexes(self) -> Vec<Index> {
        let due = Index {
            name: due::INDEX,
            partition: (due::SHARD, ScalarAttributeType::S),
            sort: (due::AT, ScalarAttributeType::N),
            projected: &[],
        };
        let people = Index {
            name: people::INDEX,
            partition: (people::DOMAIN, ScalarAttributeType::S),
            sort: (people::AT, ScalarAttributeType::S),
            projected: &people::PROJECTED,
        };
        match self {
            Self::Identity => vec![due, people],
            Self::Journal => vec![due],
            Self::Directory | Self::Ephemeral => Vec::new(),
        }
    }

    /// Whether items end by themselves.
    fn has_ttl(self) -> bool {
        matches!(self, Self::Ephemeral | Self::Journal)
    }
}

impl Store {
    /// Creates the tables that do not exist yet, and the indexes that one that does exist lacks. A deployment's tables come from `template.yaml` instead.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the engine refuses.
    pub async fn create_tables(&self) -> Result<(), StoreError> {
        for table in Table::ALL {
            let name = table.name(&self.prefix);
            let existing = self.client.describe_table().table_name(&name).send().await;
            match existing {
                Ok(description) => self.add_indexes(table, &name, description.table).await?,
                Err(error)
                    if error.as_service_error().is_some_and(DescribeTableError::is_resource_not_found_exception) =>
                {
                    self.create_table(table, &name).await?;
                }
                Err(error) => return Err(StoreError::unavailable(&error)),
            }
        }
        Ok(())
    }

    async fn create_table(&self, table: Table, name: &str) -> Result<(), StoreError> {
        let (partition, sort) = ((PARTITION, ScalarAttributeType::S), (SORT, ScalarAttributeType::S));
        let mut request = self
            .client
            .create_table()
            .table_name(name)
            .billing_mode(BillingMode::PayPerRequest)
            .set_key_schema(Some(keys(&partition, &sort)?));
        for attribute in [&partition, &sort] {
            request = request.attribute_definitions(definition(attribute)?);
        }
        for index in table.indexes() {
            for attribute in [&index.partition, &index.sort] {
                request = request.attribute_definitions(definition(attribute)?);
            }
            let built = GlobalSecondaryIndex::builder()
                .index_name(index.name)
                .set_key_schema(Some(keys(&index.partition, &index.sort)?))
                .projection(projection(&index));
            request = request.global_secondary_indexes(built.build().map_err(StoreError::unbuilt)?);
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
        if table.has_ttl() { self.let_items_end(name).await } else { Ok(()) }
    }

    async fn let_items_end(&self, name: &str) -> Result<(), StoreError> {
        let specification = TimeToLiveSpecification::builder()
            .enabled(true)
            .attribute_name(TTL)
            .build()
            .map_err(StoreError::unbuilt)?;
        let request = self.client.update_time_to_live().table_name(name).time_to_live_specification(specification);
        request.send().await.map_err(|error| StoreError::unavailable(&error))?;
        Ok(())
    }

    async fn add_indexes(
        &self,
        table: Table,
        name: &str,
        existing: Option<TableDescription>,
    ) -> Result<(), StoreError> {
        let existing = existing.unwrap_or_else(|| TableDescription::builder().build());
        let existing: Vec<_> =
            existing.global_secondary_indexes().iter().filter_map(|index| index.index_name()).collect();
        let lacking = table.indexes().into_iter().filter(|index| !existing.contains(&index.name));
        for index in lacking {
            let action = CreateGlobalSecondaryIndexAction::builder()
                .index_name(index.name)
                .set_key_schema(Some(keys(&index.partition, &index.sort)?))
                .projection(projection(&index))
                .build()
                .map_err(StoreError::unbuilt)?;
            let mut request = self
                .client
                .update_table()
                .table_name(name)
                .global_secondary_index_updates(GlobalSecondaryIndexUpdate::builder().create(action).build());
            for attribute in [&index.partition, &index.sort] {
                request = request.attribute_definitions(definition(attribute)?);
            }
            request.send().await.map_err(|error| StoreError::unavailable(&error))?;
        }
        Ok(())
    }
}

fn projection(index: &Index) -> Projection {
    if index.projected.is_empty() {
        return Projection::builder().projection_type(ProjectionType::KeysOnly).build();
    }
    let built = Projection::builder().projection_type(ProjectionType::Include);
    built.set_non_key_attributes(Some(index.projected.iter().map(ToString::to_string).collect())).build()
}

fn definition((name, kind): &Attribute) -> Result<AttributeDefinition, StoreError> {
    let built = AttributeDefinition::builder().attribute_name(*name).attribute_type(kind.clone());
    built.build().map_err(StoreError::unbuilt)
}

fn keys((partition, _): &Attribute, (sort, _): &Attribute) -> Result<Vec<KeySchemaElement>, StoreError> {
    let key = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    let keys = [key(partition, KeyType::Hash), key(sort, KeyType::Range)];
    keys.into_iter().collect::<Result<_, _>>().map_err(StoreError::unbuilt)
}
