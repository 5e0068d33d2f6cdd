//! PostgreSQL hides the rows of other tenants itself; SQLite has nothing of the kind.
//!
//! The roles are not made here: they belong to the whole server, and whoever opens the store makes them.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        if schema.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        let database = schema.get_connection();
        database.execute_unprepared(CLOSE_TABLES).await?;
        database
            .execute_unprepared("SELECT nitejar_close_tables()")
            .await?;
        Ok(())
    }
}

/// Closes every table that holds rows of tenants and is still open. The store calls it after every
/// migration, so that tables which come later are closed too.
const CLOSE_TABLES: &str = r"
CREATE FUNCTION nitejar_close_tables() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    place text := current_schema();
    open record;
BEGIN
    FOR open IN
        SELECT relname AS name, attname AS owner
        FROM pg_class
        JOIN pg_attribute ON attrelid = pg_class.oid AND NOT attisdropped
             AND attname = CASE relname WHEN 'tenants' THEN 'id' ELSE 'tenant_id' END
        WHERE relnamespace = place::regnamespace AND relkind IN ('r', 'p')
              AND NOT (relrowsecurity AND relforcerowsecurity)
        ORDER BY relname
    LOOP
        EXECUTE format('ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY',
            place, open.name);
        EXECUTE format('DROP POLICY IF EXISTS nitejar_app ON %I.%I', place, open.name);
        EXECUTE format('DROP POLICY IF EXISTS nitejar_system ON %I.%I', place, open.name);
        EXECUTE format(
            'CREATE POLICY nitejar_app ON %1$I.%2$I TO nitejar_app
                 USING (%3$I = nullif(current_setting(''nitejar.tenant'', true), '''')::uuid)
                 WITH CHECK (%3$I = nullif(current_setting(''nitejar.tenant'', true), '''')::uuid)',
            place, open.name, open.owner);
        EXECUTE format(
            'CREATE POLICY nitejar_system ON %I.%I TO nitejar_system USING (true) WITH CHECK (true)',
            place, open.name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I.%I TO nitejar_app',
            place, open.name);
    END LOOP;
    IF NOT (has_schema_privilege('nitejar_app', place, 'USAGE')
            AND has_schema_privilege('nitejar_system', place, 'USAGE')) THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO nitejar_app, nitejar_system', place);
    END IF;
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO nitejar_system',
        place);
END
$$";
