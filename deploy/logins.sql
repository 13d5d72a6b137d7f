-- The database and its three logins. Run once by a superuser, with psql 14 or newer; running it again changes nothing
-- but the passwords.
--
--   settlement_owner   owns the database and its tables; migrations only (DATABASE_OWNER_URL)
--   settlement_app     the service (DATABASE_URL): bound to one fund at a time, cannot change or remove a record
--   settlement_ops     worker and doctor (DATABASE_OPS_URL): reads every fund, cannot change a record either
--
-- The official PostgreSQL image runs this file by itself, with no variables; so passwords come from the environment:
-- SETTLEMENT_OWNER_PASSWORD, SETTLEMENT_APP_PASSWORD, SETTLEMENT_OPS_PASSWORD, and the database's name, if it is not
-- `settlement`, from SETTLEMENT_DATABASE. By hand, either set them, or say
--   psql -U postgres -v owner_password=… -v app_password=… -v ops_password=… -f deploy/logins.sql

\set ON_ERROR_STOP on
\getenv owner_password SETTLEMENT_OWNER_PASSWORD
\getenv app_password SETTLEMENT_APP_PASSWORD
\getenv ops_password SETTLEMENT_OPS_PASSWORD
\getenv database SETTLEMENT_DATABASE
\if :{?database}
\else
    \set database settlement
\endif
-- Without a password psql would stop at a syntax error further down; say in words what is missing.
\if :{?owner_password}
\else
    DO $$ BEGIN RAISE 'Set SETTLEMENT_OWNER_PASSWORD, or give psql -v owner_password=…'; END $$;
\endif
\if :{?app_password}
\else
    DO $$ BEGIN RAISE 'Set SETTLEMENT_APP_PASSWORD, or give psql -v app_password=…'; END $$;
\endif
\if :{?ops_password}
\else
    DO $$ BEGIN RAISE 'Set SETTLEMENT_OPS_PASSWORD, or give psql -v ops_password=…'; END $$;
\endif

-- No password in the server's log, whatever it is set to log.
SET log_statement = 'none';
SET log_min_duration_statement = -1;
SET log_min_error_statement = 'panic';

SELECT format('CREATE ROLE %I', name)
FROM unnest(ARRAY['settlement_owner', 'settlement_app', 'settlement_ops']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec

ALTER ROLE settlement_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
    PASSWORD :'owner_password';
ALTER ROLE settlement_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
    PASSWORD :'app_password';
ALTER ROLE settlement_ops LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
    PASSWORD :'ops_password';

SELECT format('CREATE DATABASE %I OWNER settlement_owner TEMPLATE template0 ENCODING ''UTF8''', :'database')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database')
\gexec

ALTER DATABASE :"database" OWNER TO settlement_owner;
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO settlement_app, settlement_ops;
