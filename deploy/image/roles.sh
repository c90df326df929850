#!/bin/sh
# Makes the project's roles and database in a new PostgreSQL; the image of TimescaleDB runs it once, as superuser.
# Passwords come from files, so that they are in no environment and in no log.
set -eu
for role in owner writer worker rollup scheduler api reader grafana; do
    password=$(cat "/run/secrets/db_${role}_password")
    rights=
    [ "$role" = owner ] && rights=CREATEDB
    psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username postgres --dbname postgres \
        --set role="ioc_$role" --set password="$password" <<SQL
CREATE ROLE :"role" LOGIN $rights PASSWORD :'password';
SQL
done
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username postgres --dbname postgres <<SQL
CREATE DATABASE ioc OWNER ioc_owner;
SQL
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username postgres --dbname ioc <<SQL
CREATE EXTENSION IF NOT EXISTS timescaledb;
SQL
