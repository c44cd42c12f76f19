using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using Breakwater.Repositories;
using Microsoft.Data.Sqlite;

namespace Breakwater.Micro;

/// <summary>
/// <c>catalog-walk [entries]</c>: makes a catalog of that many entries (default 1 million, 50 to a directory), then opens and walks it
/// once, and prints the time and the peak of the process's resident memory, runtime included, while it did.
/// </summary>
internal static class CatalogWalk
{
    public static async Task<int> RunAsync(string[] args)
    {
        int entries = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 1_000_000;
        string directory = Directory.CreateTempSubdirectory("breakwater-walk-").FullName;
        try
        {
            string wirePath = Path.Combine(directory, "catalog");
            Make(Path.Combine(directory, "catalog.db"), wirePath, entries);
            SqliteConnection.ClearAllPools();
            GC.Collect();
            await File.WriteAllTextAsync("/proc/self/clear_refs", "5");
            double before = ResidentMegabytes("VmRSS");

            var clock = Stopwatch.StartNew();
            await using FileStream wire = File.OpenRead(wirePath);
            Parsed<Catalog> opened = await Catalog.OpenAsync(wire, CatalogLimits.Default);
            TimeSpan open = clock.Elapsed;
            using Catalog catalog = opened.Value!;
            long rows = 0;
            string? problem = catalog.Walk(_ => rows++);
            clock.Stop();

            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $$"""
                {"benchmark":"catalog-walk","entries":{{rows}},"problem":"{{problem}}","wireBytes":{{wire.Length}},"openSeconds":{{open.TotalSeconds:f2}},"totalSeconds":{{clock.Elapsed.TotalSeconds:f2}},"rssBeforeMB":{{before:f0}},"rssPeakMB":{{ResidentMegabytes("VmHWM"):f0}},"machine":"{{Environment.ProcessorCount}} cores, {{Environment.OSVersion}}, .NET {{Environment.Version}}"}
                """));
            return problem is null && rows >= entries ? 0 : 1;
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static double ResidentMegabytes(string field) =>
        double.Parse(
            File.ReadLines("/proc/self/status").First(line => line.StartsWith(field, StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2],
            CultureInfo.InvariantCulture) / 1024;

    private static void Make(string path, string wirePath, int entries)
    {
        using (var connection = new SqliteConnection($"Data Source={path};Pooling=False"))
        {
            connection.Open();
            Execute(connection, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-400000");
            Execute(connection, """
                CREATE TABLE properties (key TEXT, value TEXT, CONSTRAINT pk_properties PRIMARY KEY (key));
                CREATE TABLE catalog (md5path_1 INTEGER, md5path_2 INTEGER, parent_1 INTEGER, parent_2 INTEGER, hardlinks INTEGER,
                  hash BLOB, size INTEGER, mode INTEGER, mtime INTEGER, flags INTEGER,
                  name TEXT, symlink TEXT, uid INTEGER, gid INTEGER, xattr BLOB,
                  CONSTRAINT pk_catalog PRIMARY KEY (md5path_1, md5path_2));
                CREATE INDEX idx_catalog_parent ON catalog (parent_1, parent_2);
                CREATE TABLE chunks (md5path_1 INTEGER, md5path_2 INTEGER, offset INTEGER, size INTEGER, hash BLOB,
                  CONSTRAINT pk_chunks PRIMARY KEY (md5path_1, md5path_2, offset, size));
                CREATE TABLE nested_catalogs (path TEXT, sha1 TEXT, size INTEGER, CONSTRAINT pk_nested_catalogs PRIMARY KEY (path));
                INSERT INTO properties VALUES ('schema', '2.5'), ('revision', '1');
                BEGIN
                """);
            Fill(connection, entries);
            Execute(connection, "COMMIT");
        }

        using FileStream database = File.OpenRead(path);
        using var zlib = new ZLibStream(File.Create(wirePath), CompressionLevel.Optimal);
        database.CopyTo(zlib);
    }

    private static void Fill(SqliteConnection connection, int entries)
    {
        using SqliteCommand insert = connection.CreateCommand();
        insert.CommandText = "INSERT INTO catalog VALUES ($m1,$m2,$p1,$p2,1,$hash,4096,33188,1795454720,$flags,$name,'',0,0,NULL)";
        SqliteParameter[] p =
            [.. ((string[])["$m1", "$m2", "$p1", "$p2", "$hash", "$flags", "$name"]).Select(name =>
            insert.Parameters.AddWithValue(name, 0L))];
        int made = 0;
        void Add(string parent, string name, bool isDirectory)
        {
            PathKey key = PathKey.Of(name.Length == 0 ? "" : parent + "/" + name);
            PathKey above = name.Length == 0 ? default : PathKey.Of(parent);
            object[] values =
                [key.First, key.Second, above.First, above.Second, isDirectory ? DBNull.Value : SHA1.HashData(BitConverter.GetBytes(made)),
                isDirectory ? 1L : 4L, name];
            for (int i = 0; i < p.Length; i++)
            {
                p[i].Value = values[i];
            }

            insert.ExecuteNonQuery();
            made++;
        }

        Add("", "", isDirectory: true);
        for (int top = 0; made < entries; top++)
        {
            string topName = "release-" + top;
            Add("", topName, isDirectory: true);
            for (int package = 0; package < 100 && made < entries; package++)
            {
                string packageName = "package-" + package;
                Add("/" + topName, packageName, isDirectory: true);
                for (int file = 0; file < 50 && made < entries; file++)
                {
                    Add($"/{topName}/{packageName}", $"libSomething{file}.so.1.2.{file}", isDirectory: false);
                }
            }
        }
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
