//! The read side, which is the same text on both databases: written once, compiled for each.

/// The columns of an event, in the order in which [`reads`] decodes them.
pub(super) const READ_AFTER: &str = "\
    SELECT e.position, i.kind || '.' || i.id, e.version, e.type, e.body, e.metadata, e.recorded_at \
    FROM events e JOIN ids i ON i.number = e.number \
    WHERE e.position > $1 ORDER BY e.position LIMIT $2";

pub(super) const HISTORY: &str = "\
    SELECT e.position, i.kind || '.' || i.id, e.version, e.type, e.body, e.metadata, e.recorded_at \
    FROM ids i JOIN events e ON e.number = i.number \
    WHERE i.kind = $1 AND i.id = $2 ORDER BY e.version";

pub(super) const NAMES_AFTER: &str = "\
    SELECT number, kind || '.' || id FROM ids WHERE number > $1 ORDER BY number LIMIT $2";

pub(super) const LAST_POSITION: &str = "SELECT coalesce(max(position), 0) FROM events";

pub(super) const GET_ROW: &str = "\
    SELECT r.version, r.body FROM ids i JOIN rows r ON r.number = i.number \
    WHERE i.kind = $1 AND i.id = $2";

pub(super) const CURSOR: &str = "SELECT position FROM cursors WHERE source = $1";

pub(super) const PERSON_KEY: &str = "SELECT key, erased_at FROM person_keys WHERE person = $1";

pub(super) const LIST_UP: &str = "\
    SELECT k.value, k.number, i.id, r.version, r.body FROM row_keys k \
    JOIN rows r ON r.number = k.number JOIN ids i ON i.number = k.number \
    WHERE k.kind = $1 AND k.key = $2 AND (k.value, k.number) > ($3, $4) \
    ORDER BY k.value, k.number LIMIT $5";

pub(super) const LIST_UP_TO: &str = "\
    SELECT k.value, k.number, i.id, r.version, r.body FROM row_keys k \
    JOIN rows r ON r.number = k.number JOIN ids i ON i.number = k.number \
    WHERE k.kind = $1 AND k.key = $2 AND (k.value, k.number) > ($3, $4) \
      AND (k.value, k.number) < ($6, $7) \
    ORDER BY k.value, k.number LIMIT $5";

pub(super) const LIST_DOWN: &str = "\
    SELECT k.value, k.number, i.id, r.version, r.body FROM row_keys k \
    JOIN rows r ON r.number = k.number JOIN ids i ON i.number = k.number \
    WHERE k.kind = $1 AND k.key = $2 AND (k.value, k.number) > ($3, $4) \
    ORDER BY k.value DESC, k.number DESC LIMIT $5";

pub(super) const LIST_DOWN_FROM: &str = "\
    SELECT k.value, k.number, i.id, r.version, r.body FROM row_keys k \
    JOIN rows r ON r.number = k.number JOIN ids i ON i.number = k.number \
    WHERE k.kind = $1 AND k.key = $2 AND (k.value, k.number) > ($3, $4) \
      AND (k.value, k.number) < ($6, $7) \
    ORDER BY k.value DESC, k.number DESC LIMIT $5";

pub(super) const PARKED: &str = "\
    SELECT source, position, reason, body, parked_at FROM parked \
    WHERE (source, position) > ($1, $2) ORDER BY source, position LIMIT $3";

pub(super) const PARKED_OF: &str = "\
    SELECT source, position, reason, body, parked_at FROM parked \
    WHERE source = $1 AND position > $2 ORDER BY source, position LIMIT $3";

/// The read methods of a `Database` that has a pool `readers`.
macro_rules! reads {
    ($database:ty, $row:ty) => {
        impl $database {
            pub(crate) async fn last_position(&self) -> Result<u64, LogError> {
                let last: i64 =
                    sqlx::query_scalar(read::LAST_POSITION).fetch_one(&self.readers).await?;
                Ok(uint(last))
            }

            pub(crate) async fn read_after(
                &self,
                position: u64,
                limit: usize,
            ) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
                let rows = sqlx::query(read::READ_AFTER)
                    .bind(int(position))
                    .bind(int(limit as u64))
                    .fetch_all(&self.readers)
                    .await?;
                rows.iter().map(|row| event(row).map(Arc::new)).collect()
            }

            pub(crate) async fn names_after(
                &self,
                number: u64,
                limit: usize,
            ) -> Result<Vec<(u64, String)>, LogError> {
                let rows = sqlx::query(read::NAMES_AFTER)
                    .bind(int(number))
                    .bind(int(limit as u64))
                    .fetch_all(&self.readers)
                    .await?;
                rows.iter().map(|row| Ok((uint(row.try_get(0)?), row.try_get(1)?))).collect()
            }

            pub(crate) async fn history(
                &self,
                stream: &str,
            ) -> Result<Vec<RecordedEvent>, LogError> {
                let (kind, id) = names(stream);
                let rows =
                    sqlx::query(read::HISTORY).bind(kind).bind(id).fetch_all(&self.readers).await?;
                rows.iter().map(event).collect()
            }

            pub(crate) async fn get_row(
                &self,
                kind: &str,
                id: &str,
            ) -> Result<Option<StoredRow>, LogError> {
                let row = sqlx::query(read::GET_ROW)
                    .bind(kind)
                    .bind(id)
                    .fetch_optional(&self.readers)
                    .await?;
                let Some(row) = row else { return Ok(None) };
                Ok(Some(StoredRow {
                    id: id.to_owned(),
                    version: uint(row.try_get(0)?),
                    body: row.try_get::<Vec<u8>, _>(1)?.into(),
                }))
            }

            pub(crate) async fn list(
                &self,
                query: &Listing,
                low: &Place,
                high: Option<&Place>,
                limit: usize,
            ) -> Result<Vec<(Place, StoredRow)>, LogError> {
                let sql = match (query.order, high) {
                    (Order::Ascending, None) => read::LIST_UP,
                    (Order::Ascending, Some(_)) => read::LIST_UP_TO,
                    (Order::Descending, None) => read::LIST_DOWN,
                    (Order::Descending, Some(_)) => read::LIST_DOWN_FROM,
                };
                let mut statement = sqlx::query(sql)
                    .bind(query.kind.as_str())
                    .bind(query.key.as_str())
                    .bind(low.value.as_str())
                    .bind(int(low.number))
                    .bind(int(limit as u64));
                if let Some(high) = high {
                    statement = statement.bind(high.value.as_str()).bind(int(high.number));
                }
                let rows = statement.fetch_all(&self.readers).await?;
                rows.iter()
                    .map(|row| {
                        let place = Place { value: row.try_get(0)?, number: uint(row.try_get(1)?) };
                        let stored = StoredRow {
                            id: row.try_get(2)?,
                            version: uint(row.try_get(3)?),
                            body: row.try_get::<Vec<u8>, _>(4)?.into(),
                        };
                        Ok((place, stored))
                    })
                    .collect()
            }

            pub(crate) async fn cursor(&self, source: &str) -> Result<u64, LogError> {
                let position: Option<i64> = sqlx::query_scalar(read::CURSOR)
                    .bind(source)
                    .fetch_optional(&self.readers)
                    .await?;
                Ok(position.map_or(0, uint))
            }

            pub(crate) async fn parked(
                &self,
                source: Option<&str>,
                after: &(String, u64),
                limit: usize,
            ) -> Result<Vec<Parked>, LogError> {
                let sql = if source.is_some() { read::PARKED_OF } else { read::PARKED };
                let rows = sqlx::query(sql)
                    .bind(source.unwrap_or(after.0.as_str()))
                    .bind(int(after.1))
                    .bind(int(limit as u64))
                    .fetch_all(&self.readers)
                    .await?;
                rows.iter()
                    .map(|row| {
                        let body: Vec<u8> = row.try_get(3)?;
                        let event = RecordedEvent::decode(body.as_slice())
                            .map_err(|_| LogError::Corrupt("a parked event".to_owned()))?;
                        let parked_at = jiff::Timestamp::from_microsecond(row.try_get(4)?)
                            .map_err(|_| LogError::Corrupt("the time of parking".to_owned()))?;
                        Ok(Parked {
                            source: row.try_get(0)?,
                            position: uint(row.try_get(1)?),
                            reason: row.try_get(2)?,
                            event,
                            parked_at,
                        })
                    })
                    .collect()
            }

            pub(crate) async fn person_key(
                &self,
                person: &str,
            ) -> Result<Option<PersonKey>, LogError> {
                let row = sqlx::query(read::PERSON_KEY)
                    .bind(person)
                    .fetch_optional(&self.readers)
                    .await?;
                let Some(row) = row else { return Ok(None) };
                let erased: Option<i64> = row.try_get(1)?;
                Ok(Some(match erased {
                    Some(_) => PersonKey::Erased,
                    None => PersonKey::Present(row.try_get(0)?),
                }))
            }
        }

        /// Decodes the columns of `READ_AFTER` and `HISTORY`.
        pub(crate) fn event(row: &$row) -> Result<RecordedEvent, LogError> {
            let position = uint(row.try_get(0)?);
            let metadata: Vec<u8> = row.try_get(5)?;
            let metadata = EventMetadata::decode(metadata.as_slice())
                .map_err(|_| LogError::Corrupt(format!("the metadata of event {position}")))?;
            Ok(RecordedEvent {
                position,
                stream: row.try_get(1)?,
                version: uint(row.try_get(2)?),
                r#type: row.try_get(3)?,
                body: row.try_get::<Vec<u8>, _>(4)?.into(),
                metadata: Some(metadata),
                recorded_at: Some(micros_to_proto(row.try_get(6)?)),
            })
        }
    };
}

pub(super) use reads;
