using System.Net;
using Breakwater.CacheStore;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Settings;
using Breakwater.Repositories;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Boots;

/// <summary>Boots whose requests follow each other at once, each 1 ms apart, on a fake clock.</summary>
internal sealed class BootFeed
{
    private int _connections;

    public FakeTimeProvider Time { get; } = new(DateTimeOffset.UnixEpoch.AddDays(20_000));

    public BootTimelines Boots { get; } = new(new WorkingSetOptions());

    public BootSnapshot Now => Boots.Snapshot();

    /// <summary>A boot of so many objects, of which each takes so long.</summary>
    public void Boot(int vm, int objects, double milliseconds = 1, string repository = "a.example.org")
    {
        string connection = $"C{_connections++}";
        List<RequestRecord> records = [Record(vm, null, connection, 0, milliseconds, repository)];
        records.AddRange(Enumerable.Range(0, objects)
            .Select(i => Record(vm, i, connection, (i + 1) * milliseconds, milliseconds, repository)));
        Pump([.. records]);
    }

    /// <summary>The object of that number.</summary>
    public static ObjectKey Key(int number) => Key(number, ObjectKind.Plain);

    /// <summary>The object of that number and kind.</summary>
    public static ObjectKey Key(int number, ObjectKind kind)
    {
        Span<byte> digest = stackalloc byte[20];
        BitConverter.TryWriteBytes(digest, number);
        return new ObjectKey(digest, DigestAlgorithm.Sha1, kind);
    }

    public void Pass(int seconds)
    {
        for (int i = 0; i < seconds; i++)
        {
            Time.Advance(TimeSpan.FromSeconds(1));
            Pump();
        }
    }

    public void Pump(params RequestRecord[] records) =>
        Boots.Take(records, new RecordClock(Time, Time.GetUtcNow(), Time.GetTimestamp()));

    /// <summary>One request.</summary>
    /// <param name="vm">Number of the VM, which is its address.</param>
    /// <param name="number">Of the object; null: the manifest.</param>
    /// <param name="connection">The connection.</param>
    /// <param name="from">Its begin in ms from now.</param>
    /// <param name="takes">How long it takes in ms.</param>
    /// <param name="repository">The repository.</param>
    /// <param name="result">How it ends.</param>
    public RequestRecord Record(int vm, int? number, string connection, double from, double takes, string repository = "a.example.org",
        RequestResult result = RequestResult.Hit)
    {
        Span<byte> digest = stackalloc byte[20];
        BitConverter.TryWriteBytes(digest, number ?? 0);
        long At(double ms) => Time.GetTimestamp() + (long)(ms * Time.TimestampFrequency / 1000);
        return new RequestRecord
        {
            StartedAt = At(from),
            AnsweredAt = At(from),
            EndedAt = At(from + takes),
            Result = result,
            Source = RequestRecord.SourceOf(result, touchedDisk: false),
            Status = result == RequestResult.Refused ? (short)403 : (short)200,
            BytesSent = 100,
            Client = new IPAddress([10, (byte)(vm >> 16), (byte)(vm >> 8), (byte)vm]),
            Connection = connection,
            Fqrn = Breakwater.Repositories.Fqrn.Parse(repository),
            HasKey = number is not null,
            Key = number is null ? default : new ObjectKey(digest, DigestAlgorithm.Sha1, 0),
            Target = number is null ? $"/cvmfs/{repository}/.cvmfspublished" : null,
        };
    }
}
