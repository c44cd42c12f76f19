using System.Text;

namespace Breakwater.Proxy.Seeding.Format;

/// <summary>
/// One header block of a bundle, read strictly: only what <see cref="SeedWriter"/> writes is accepted, byte for byte (ustar, mode 0644,
/// owner 0, time 0). A lenient reader would let damage and tricks pass: links, devices, extended headers, other spellings of a number.
/// </summary>
/// <param name="Name">Full name.</param>
/// <param name="SizeBytes">Bytes that follow.</param>
/// <param name="LinkTarget">Name that a hard link points to; null for a file.</param>
internal readonly record struct TarHeader(string Name, long SizeBytes, string? LinkTarget)
{
    /// <summary>Tar's unit.</summary>
    public const int BlockBytes = 512;

    /// <summary>Largest size that 11 octal digits can state.</summary>
    public const long MaxSizeBytes = (1L << 33) - 1;

    /// <summary>Zeros behind a body of that length.</summary>
    public static int PaddingAfter(long length) => (int)(-length & (BlockBytes - 1));

    /// <summary>Reads a block.</summary>
    /// <param name="block">512 bytes, not all zero.</param>
    /// <param name="problem">What is wrong, as a clause; null when nothing.</param>
    public static TarHeader Read(ReadOnlySpan<byte> block, out string? problem)
    {
        int sum = 0;
        for (int i = 0; i < BlockBytes; i++)
        {
            sum += i is >= 148 and < 156 ? ' ' : block[i];
        }

        string name = Text(block[..100]);
        string prefix = Text(block.Slice(345, 155));
        string target = Text(block.Slice(157, 100));
        name = prefix.Length == 0 ? name : prefix + "/" + name;
        problem = !IsOctal(block.Slice(148, 6), out long stated) || stated != sum || block[154] != 0 || block[155] != ' '
            ? "its header does not have its checksum"
            : !IsTerminated(block[..100]) || !IsTerminated(block.Slice(345, 155)) || !IsTerminated(block.Slice(157, 100))
            ? "a name in its header is malformed"
            : WhatType(block[156]) is { } type ? $"is {type}; a bundle has regular files, and hard links between repositories, only"
            : !block.Slice(257, 8).SequenceEqual("ustar\000"u8) ? "is not a POSIX ustar header"
            : !IsPlain(block) ? "its mode, owner or time is not what a bundle has"
            : !IsOctal(block.Slice(124, 11), out _) || block[135] != 0 ? "its size is not a number"
            : null;
        IsOctal(block.Slice(124, 11), out long size);
        bool isLink = block[156] == (byte)'1';
        if (problem is null && isLink != (target.Length > 0))
        {
            problem = "its link is malformed";
        }

        if (problem is null && isLink && size != 0)
        {
            problem = "is a link with a size";
        }

        return new TarHeader(name, size, isLink ? target : null);
    }

    private static string? WhatType(byte type) => type switch
    {
        (byte)'0' or (byte)'1' => null,
        (byte)'2' => "a symbolic link",
        (byte)'3' or (byte)'4' => "a device",
        (byte)'5' => "a directory",
        (byte)'6' => "a FIFO",
        (byte)'x' or (byte)'g' => "an extended header",
        (byte)'L' or (byte)'K' => "a GNU long name",
        _ => $"of type 0x{type:x2}",
    };

    /// <summary>Mode 0644, owner and group 0, time 0, no owner's names, no device, nothing in the last 12 bytes.</summary>
    private static bool IsPlain(ReadOnlySpan<byte> block) =>
        IsOctal(block.Slice(100, 7), out long mode) && mode == 0x1a4 && block[107] == 0
        && IsZero(block.Slice(108, 8)) && IsZero(block.Slice(116, 8)) && IsZero(block.Slice(136, 12))
        && !block.Slice(265, 64).ContainsAnyExcept((byte)0)
        && IsZero(block.Slice(329, 8)) && IsZero(block.Slice(337, 8))
        && !block.Slice(500, 12).ContainsAnyExcept((byte)0);

    /// <summary>A number field that says 0: octal zeros with a NUL, or nothing but NULs.</summary>
    private static bool IsZero(ReadOnlySpan<byte> field) =>
        field[^1] == 0 && (!field[..^1].ContainsAnyExcept((byte)'0') || !field.ContainsAnyExcept((byte)0));

    private static bool IsOctal(ReadOnlySpan<byte> digits, out long value)
    {
        value = 0;
        foreach (byte digit in digits)
        {
            if (digit is < (byte)'0' or > (byte)'7')
            {
                return false;
            }

            value = (value << 3) | (long)(digit - '0');
        }

        return true;
    }

    private static string Text(ReadOnlySpan<byte> field)
    {
        int end = field.IndexOf((byte)0);
        return Encoding.Latin1.GetString(end < 0 ? field : field[..end]);
    }

    /// <summary>Printable ASCII, then NULs to the end.</summary>
    private static bool IsTerminated(ReadOnlySpan<byte> field)
    {
        int end = field.IndexOf((byte)0);
        return end < 0 ? !field.ContainsAnyExceptInRange((byte)'!', (byte)'~')
            : !field[..end].ContainsAnyExceptInRange((byte)'!', (byte)'~') && !field[end..].ContainsAnyExcept((byte)0);
    }
}
