using Breakwater.CacheStore;
using Breakwater.CacheStore.Hashing;

namespace Breakwater.Laboratory.Client;

/// <summary>
/// Checks one body at a time against what its URL says: a hash-named object against its name, a signed document against the hash that it
/// carries itself or the bytes that it has to be. Anything else passes. Not thread-safe.
/// </summary>
internal sealed class BodyCheck : IDisposable
{
    private readonly Dictionary<DigestAlgorithm, ObjectHasher> _hashers = [];
    private readonly List<byte> _document = [];
    private Expectation _expected = Expectation.Nothing;
    private bool _hasBegun;

    /// <summary>Starts with the next body; one before that did not come to its end is forgotten.</summary>
    public void Begin(Expectation expected)
    {
        if (_hasBegun)
        {
            Finish();
        }

        _hasBegun = true;
        _expected = expected;
        _document.Clear();
    }

    /// <summary>Adds bytes of the body.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        switch (_expected.Kind)
        {
            case ExpectationKind.Digest:
                Hasher().Append(bytes);
                break;
            case ExpectationKind.Bytes or ExpectationKind.SelfHash:
                _document.AddRange(bytes);
                break;
        }
    }

    /// <summary>The body has ended: is it right?</summary>
    public bool Finish()
    {
        _hasBegun = false;
        switch (_expected.Kind)
        {
            case ExpectationKind.Digest:
                Span<byte> digest = stackalloc byte[ObjectKey.DigestSizeBytes];
                Hasher().Finish(digest);
                return digest.SequenceEqual(_expected.Value);
            case ExpectationKind.Bytes:
                return System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_document).SequenceEqual(_expected.Value);
            case ExpectationKind.SelfHash:
                return CarriesItsHash(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_document));
            default:
                return true;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (ObjectHasher hasher in _hashers.Values)
        {
            hasher.Dispose();
        }
    }

    /// <summary>A manifest or whitelist: the 40 hex digits after <c>--\n</c> are the digest of the bytes before.</summary>
    internal static bool CarriesItsHash(ReadOnlySpan<byte> document)
    {
        int mark = document.IndexOf("\n--\n"u8);
        if (mark < 0 || document.Length < mark + 44)
        {
            return false;
        }

        ReadOnlySpan<byte> line = document[(mark + 4)..];
        int end = line.IndexOf((byte)'\n');
        line = end < 0 ? line : line[..end];
        DigestAlgorithm algorithm = line.EndsWith("-rmd160"u8) ? DigestAlgorithm.RipeMd160
            : line.EndsWith("-shake128"u8) ? DigestAlgorithm.Shake128
            : DigestAlgorithm.Sha1;
        string hex = Convert.ToHexStringLower(ObjectHasher.Hash(algorithm, document[..(mark + 1)]));
        return line.Length >= 40 && System.Text.Ascii.Equals(line[..40], hex);
    }

    private ObjectHasher Hasher()
    {
        if (!_hashers.TryGetValue(_expected.Algorithm, out ObjectHasher? hasher))
        {
            _hashers[_expected.Algorithm] = hasher = ObjectHasher.Create(_expected.Algorithm);
        }

        return hasher;
    }
}
