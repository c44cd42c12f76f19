using System.Security.Cryptography;
using BenchmarkDotNet.Attributes;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Commands.Store;

namespace Breakwater.Micro;

/// <summary>
/// A hit in the store: the index's lookup alone, and lookup with a checked read of the whole object into a buffer; beside it a plain read
/// of the same bytes, from the same files.
/// </summary>
[MemoryDiagnoser]
public class StoreBenchmarks
{
    private const int Objects = 400;

    private readonly byte[] _buffer = new byte[1 << 20];
    private readonly List<ObjectKey> _keys = [];
    private string _directory = "";
    private FasterObjectStore _store = null!;
    private PlainReads _plain = null!;
    private ObjectLease? _lease;
    private int _next;

    [Params(4 << 10, 32 << 10, 1 << 20)]
    public int SizeBytes { get; set; }

    [GlobalSetup]
    public async Task Fill()
    {
        _directory = Directory.CreateTempSubdirectory("breakwater-micro-").FullName;
        _store = await FasterObjectStore.OpenAsync(
            new StoreOptions { Path = Path.Combine(_directory, "store"), CommitInterval = TimeSpan.FromMilliseconds(10) });
        var random = new Random(1);
        byte[] body = new byte[SizeBytes];
        int count = SizeBytes >= 1 << 20 ? Objects / 20 : Objects;
        for (int i = 0; i < count; i++)
        {
            random.NextBytes(body);
            var key = new ObjectKey(SHA1.HashData(body), DigestAlgorithm.Sha1, 0);
            await using ObjectWriter writer = _store.BeginWrite(key, SizeBytes);
            await writer.AppendAsync(body);
            if (!writer.Verify() || await writer.CommitAsync() != CommitResult.Committed)
            {
                throw new InvalidOperationException("The store did not take an object.");
            }

            _keys.Add(key);
        }

        _plain = new PlainReads(_store, _keys, _buffer);
    }

    [GlobalCleanup]
    public async Task Empty()
    {
        _plain.Dispose();
        await _store.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Benchmark(Baseline = true)]
    public void PlainRead() => _plain.Read(_next = (_next + 1) % _keys.Count);

    [Benchmark]
    public bool Lookup() => _store.Contains(Next());

    [Benchmark]
    public int Hit()
    {
        _store.TryReopen(Next(), ref _lease);
        using (_lease)
        {
            int offset = 0;
            while (offset < SizeBytes)
            {
                int read = _lease!.TryRead(offset, _buffer.AsSpan(offset, SizeBytes - offset));
                if (read <= 0)
                {
                    // The system took it out of the page cache: the first round brings it back.
                    read = _lease.ReadAsync(offset, _buffer.AsMemory(offset, SizeBytes - offset)).AsTask().GetAwaiter().GetResult();
                }

                offset += read;
            }

            return offset;
        }
    }

    private ObjectKey Next() => _keys[_next = (_next + 1) % _keys.Count];
}
