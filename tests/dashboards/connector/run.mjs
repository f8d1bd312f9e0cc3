// Runs the project's source queries in Evidence's own connector, and the pages' queries over what came.
//   node run.mjs REQUEST ANSWER
// REQUEST: {source: folder, filename: of the published file from there, pages: [{name, sql}]}. ANSWER: {duckdb: its
// version, sources: {name: {columns: [[name, type]], rows: [[…]]}}, pages: {name: {columns: […], rows: [[…]]}}}.
import fs from 'node:fs';
import path from 'node:path';
import connector from '@evidence-dev/duckdb';
import { DuckDBInstance, version } from '@duckdb/node-api';

const [request, answer] = process.argv.slice(2);
const { source, filename, pages } = JSON.parse(fs.readFileSync(request, 'utf8'));

const connected = await connector.testConnection({ filename }, source);
if (connected !== true) throw new Error(connected.reason);
const run = await connector.getRunner({ filename }, source);

// what Evidence's build-parquet.js makes of a column
const kinds = { number: 'DOUBLE', string: 'VARCHAR', date: 'TIMESTAMP', boolean: 'BOOLEAN' };
const type = ({ name, evidenceType }, rows) =>
	['date', 'boolean'].includes(evidenceType) && rows.every((row) => row[name] === null) ? 'DOUBLE' : kinds[evidenceType];

const database = await DuckDBInstance.create(':memory:');
const connection = await database.connect();
await connection.run('create schema veelocity');

const sources = {};
for (const file of fs.readdirSync(source).filter((each) => each.endsWith('.sql'))) {
	const result = await run(fs.readFileSync(path.join(source, file), 'utf8'), path.join(source, file), 10_000);
	if (result === null) continue; // initialize.sql
	const name = path.basename(file, '.sql');
	const rows = [];
	for await (const batch of result.rows()) rows.push(...batch);
	if (rows.length !== result.expectedRowCount) throw new Error(`${name}: ${rows.length} of ${result.expectedRowCount} rows`);
	const columns = result.columnTypes.map((column) => [column.name, type(column, rows)]);
	sources[name] = { columns, rows: rows.map((row) => columns.map(([column]) => row[column])) };

	const json = path.join(path.dirname(answer), `${name}.json`);
	fs.writeFileSync(json, JSON.stringify(rows));
	const struct = columns.map(([column, kind]) => `'${column}': '${kind}'`).join(', ');
	await connection.run(`create table veelocity.${name} as from read_json('${json}', format = 'array', columns = {${struct}})`);
}

const answers = {};
for (const { name, sql } of pages) {
	const reader = await connection.runAndReadAll(sql);
	answers[name] = { columns: reader.columnNames(), rows: reader.getRowsJson() };
}
fs.writeFileSync(answer, JSON.stringify({ duckdb: version(), sources, pages: answers }));
