using Breakwater.CacheStore;
using Breakwater.Proxy.Seeding.Format;

namespace Breakwater.Proxy.Seeding.Import;

/// <summary>
/// Takes the content of a bundle as it is read: keeps documents and certificates, hands objects to the intake, remembers which there were.
/// Trust is judged as soon as the certificates are in, before the bulk.
/// </summary>
internal sealed class SeedContent(SeedIndex index, ObjectIntake intake, Action<SeedContent> judge, IProgress<SeedProgress>? progress)
    : ISeedVisitor
{
    private const int MaxCertificateBytes = 64 << 10;

    /// <summary>Of all certificates: 2 KB each for 1,000 repositories and their past. One beyond it counts as missing.</summary>
    private const long MaxCertificatesBytes = 32 << 20;

    private const long ProgressStepBytes = 1 << 20;

    private readonly Dictionary<string, byte[]> _documents = new(StringComparer.Ordinal);
    private readonly Dictionary<ObjectKey, byte[]> _certificates = [];
    private readonly List<ObjectKey> _keys = [];
    private System.Buffers.ArrayBufferWriter<byte>? _certificate;
    private long _certificatesBytes;
    private bool _isJudged;
    private long _bytes;
    private long _reportedBytes;

    /// <summary>Documents by the names of their entries.</summary>
    public IReadOnlyDictionary<string, byte[]> Documents => _documents;

    /// <summary>All distinct objects so far, in the bundle's order.</summary>
    public IReadOnlyList<ObjectKey> Keys => _keys;

    /// <summary>Objects that an earlier bundle must have brought.</summary>
    public IReadOnlyList<ObjectKey> Inherited { get; private set; } = [];

    /// <summary>Wire bytes of a certificate that came; null: it did not.</summary>
    public byte[]? Certificate(ObjectKey key) => _certificates.GetValueOrDefault(key);

    /// <inheritdoc/>
    public ValueTask OnDocumentAsync(string name, byte[] bytes, long offset, CancellationToken cancellationToken)
    {
        _documents.Add(name, bytes);
        if (name == SeedPath.Inherited)
        {
            Inherited = InheritedList.Read(bytes, offset);
            if (Inherited.Count != index.Inherited)
            {
                throw new SeedRefusedException(
                    SeedPath.Inherited, offset, $"lists {Inherited.Count} objects, the index states {index.Inherited}");
            }
        }

        return default;
    }

    /// <inheritdoc/>
    public ValueTask OnObjectAsync(SeedPath path, string name, long length, long offset, CancellationToken cancellationToken)
    {
        if (path.Key.Kind == ObjectKind.Certificate && length <= MaxCertificateBytes
            && _certificatesBytes + length + HeapCost.Entry <= MaxCertificatesBytes)
        {
            _certificatesBytes += length + HeapCost.Entry;
            _certificate = new System.Buffers.ArrayBufferWriter<byte>();
        }
        else if (path.Key.Kind != ObjectKind.Certificate)
        {
            Judge();
        }

        if (_keys.Count == 0 || _keys[^1] != path.Key)
        {
            _keys.Add(path.Key);
        }

        return intake.BeginAsync(path.Key, name, length, offset);
    }

    /// <inheritdoc/>
    public ValueTask OnObjectBytesAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (_certificate is { } certificate)
        {
            System.Buffers.BuffersExtensions.Write(certificate, bytes.Span);
        }

        _bytes += bytes.Length;
        return intake.AppendAsync(bytes, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask OnObjectEndAsync(CancellationToken cancellationToken)
    {
        if (_certificate is not null)
        {
            _certificates[_keys[^1]] = _certificate.WrittenSpan.ToArray();
            _certificate = null;
        }

        if (progress is not null && _bytes - _reportedBytes >= ProgressStepBytes)
        {
            _reportedBytes = _bytes;
            progress.Report(new SeedProgress(_keys.Count, index.Objects, _bytes, index.ObjectBytes));
        }

        return intake.EndAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public void OnLink(SeedPath path)
    {
    }

    /// <summary>All was read.</summary>
    public void End()
    {
        Judge();
        if (index.Inherited != Inherited.Count)
        {
            throw new SeedRefusedException($"{SeedPath.Index}, field inherited", -1,
                $"is {index.Inherited}, but {SeedPath.Inherited} is missing");
        }

        progress?.Report(new SeedProgress(_keys.Count, index.Objects, _bytes, index.ObjectBytes));
    }

    private void Judge()
    {
        if (!_isJudged)
        {
            _isJudged = true;
            judge(this);
        }
    }
}
