using System.IO.Compression;
using System.Security.Cryptography;
using Breakwater.CacheStore;

namespace Breakwater.Proxy.Commands.Publish.Objects;

/// <summary>
/// An object that is written: compressed and hashed as it comes, in memory while it is small. One thread at a time; dispose after use.
/// </summary>
internal sealed class ObjectDraft : IDisposable
{
    private const int MemoryBytes = 256 << 10;

    /// <summary>An empty file, as every publisher writes it: the compressor here writes nothing for nothing.</summary>
    private static readonly byte[] s_empty = Convert.FromHexString("789c030000000001");

    private readonly ObjectFolder _folder;
    private readonly Wire _wire;
    private readonly ZLibStream _zlib;
    private long _length;

    internal ObjectDraft(ObjectFolder folder)
    {
        _folder = folder;
        _wire = new Wire(folder);
        _zlib = new ZLibStream(_wire, CompressionLevel.Optimal, leaveOpen: true);
    }

    /// <summary>Adds bytes of the content.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        _length += bytes.Length;
        _zlib.Write(bytes);
    }

    /// <summary>Ends the object and puts it into the folder.</summary>
    /// <param name="kind">Letter of its kind; 0: a file.</param>
    public ObjectKey Commit(char kind)
    {
        _zlib.Dispose();
        if (_length == 0)
        {
            _wire.Restart(s_empty);
        }

        return _wire.Commit(kind);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _zlib.Dispose();
        _wire.Dispose();
    }

    /// <summary>What the compressor writes.</summary>
    private sealed class Wire(ObjectFolder folder) : Stream
    {
#pragma warning disable CA5350 // The format names objects by SHA-1.
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
#pragma warning restore CA5350
        private readonly MemoryStream _memory = new();
        private FileStream? _file;
        private string? _path;
        private long _written;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => _written;

        public override long Position
        {
            get => _written;
            set => throw new NotSupportedException();
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            _hash.AppendData(buffer);
            _written += buffer.Length;
            if (_file is null && _memory.Length + buffer.Length > MemoryBytes)
            {
                _path = folder.NewTemporary();
                _file = ObjectFolder.Create(_path);
                _file.Write(_memory.GetBuffer().AsSpan(0, (int)_memory.Length));
            }

            if (_file is not null)
            {
                _file.Write(buffer);
            }
            else
            {
                _memory.Write(buffer);
            }
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        /// <summary>Forgets what was written, of a content of no bytes, and takes these instead.</summary>
        public void Restart(ReadOnlySpan<byte> wire)
        {
            _hash.GetHashAndReset();
            _memory.SetLength(0);
            _written = 0;
            Write(wire);
        }

        public ObjectKey Commit(char kind)
        {
            var key = new ObjectKey(_hash.GetHashAndReset(), DigestAlgorithm.Sha1, (ObjectKind)kind);
            if (_file is null)
            {
                folder.Take(_memory.GetBuffer().AsSpan(0, (int)_memory.Length), key);
                return key;
            }

            _file.Dispose();
            _file = null;
            folder.Take(_path!, _written, key);
            _path = null;
            return key;
        }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            _hash.Dispose();
            _file?.Dispose();
            if (_path is not null)
            {
                File.Delete(_path);
                _path = null;
            }

            base.Dispose(disposing);
        }
    }
}
