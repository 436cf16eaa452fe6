#!/bin/sh
# Run once by the PostgreSQL image on an empty volume: a database and an owner for each program.
set -eu
for name in kette n8n; do
  case $name in
    kette) password=$KETTE_DB_PASSWORD ;;
    n8n) password=$N8N_DB_PASSWORD ;;
  esac
  psql -v ON_ERROR_STOP=1 -U postgres -v name="$name" -v password="$password" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
SQL
done
