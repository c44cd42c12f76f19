using System.IO.Compression;
using Breakwater.TestSupport;
using Microsoft.Data.Sqlite;

namespace Breakwater.Proxy.Tests.Repositories.Writing;

/// <summary>A database that a writer made, or one of the fixtures, as files on the disk for a moment.</summary>
internal static class WrittenDatabase
{
    /// <summary>The object that clients get: the file, compressed.</summary>
    public static MemoryStream Wire(string file)
    {
        var wire = new MemoryStream();
        using (var zlib = new ZLibStream(wire, CompressionLevel.Fastest, leaveOpen: true))
        {
            zlib.Write(File.ReadAllBytes(file));
        }

        wire.Position = 0;
        return wire;
    }

    /// <summary>Writes plain bytes of a database to a file and reads rows from it.</summary>
    public static List<object?[]> Query(byte[] plain, string sql)
    {
        using var directory = new TemporaryDirectory();
        string file = directory.Combine("plain.db");
        File.WriteAllBytes(file, plain);
        return Query(file, sql);
    }

    /// <summary>Reads rows from a file.</summary>
    public static List<object?[]> Query(string file, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={file};Mode=ReadOnly;Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // The tests' own text.
        command.CommandText = sql;
#pragma warning restore CA2100
        using SqliteDataReader reader = command.ExecuteReader();
        List<object?[]> rows = [];
        while (reader.Read())
        {
            object?[] row = new object?[reader.FieldCount];
            for (int i = 0; i < row.Length; i++)
            {
                row[i] = reader.IsDBNull(i) ? null : reader.GetValue(i);
            }

            rows.Add(row);
        }

        return rows;
    }

    /// <summary>What the tables and the file's header are, but for the numbers that count changes.</summary>
    public static List<object?[]> Schema(string file) =>
        [
            .. Query(file, "SELECT type, name, sql FROM sqlite_master"),
            .. ((string[])["page_size", "encoding", "journal_mode", "auto_vacuum", "user_version", "application_id"])
                .SelectMany(pragma => Query(file, "PRAGMA " + pragma)),
        ];

    /// <summary>The same of bytes.</summary>
    public static List<object?[]> Schema(byte[] plain)
    {
        using var directory = new TemporaryDirectory();
        string file = directory.Combine("plain.db");
        File.WriteAllBytes(file, plain);
        return Schema(file);
    }
}
