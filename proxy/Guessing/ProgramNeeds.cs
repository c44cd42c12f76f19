using System.Buffers.Binary;
using System.Text;

namespace Breakwater.Proxy.Guessing;

/// <summary>
/// What a program names that the system reads next when it starts: its loader and shared libraries (ELF, 64 bit, little endian), or the
/// interpreter of a script; and, where its language is known, modules and commands. The content is the publisher's and untrusted: what is
/// malformed needs nothing. Pure.
/// </summary>
/// <param name="Paths">Absolute paths.</param>
/// <param name="Commands">Names looked for where commands are: <c>env python3</c>.</param>
/// <param name="Libraries">Names of shared libraries.</param>
/// <param name="LibraryPaths">Where the program says that they are; may begin with <c>$ORIGIN</c>.</param>
/// <param name="Triplet">Name of the machine in the directories of Debian's libraries; null: not known.</param>
internal sealed record ProgramNeeds(
    IReadOnlyList<string> Paths, IReadOnlyList<string> Commands, IReadOnlyList<string> Libraries, IReadOnlyList<string> LibraryPaths,
    string? Triplet)
{
    /// <summary>Names read of one program.</summary>
    internal const int MaxNames = 128;

    private const int MaxNameBytes = 255;
    private const int MaxPathBytes = 4096;
    private const int MaxHeaders = 64;
    private const int MaxDynamic = 4096;

    private const int HeaderBytes = 64;
    private const int ProgramHeaderBytes = 56;
    private const int Load = 1, Dynamic = 2, Interpreter = 3;                             // p_type
    private const long Needed = 1, StringTable = 5, RPath = 15, RunPath = 29;             // d_tag

    private static readonly ProgramNeeds s_nothing = new([], [], [], [], null);
    private static readonly string[] s_shells = ["sh", "bash", "dash", "ash", "ksh"];

    private static ReadOnlySpan<byte> ElfMagic => "\u007fELF"u8;

    /// <summary>Modules of its language; null: none.</summary>
    public ModuleNeeds? Modules { get; init; }

    /// <summary>Commands that a shell's script calls, by name or absolute path.</summary>
    public IReadOnlyList<string> Words { get; init; } = [];

    /// <summary>So many bytes at its beginning tell whether a file may be a program.</summary>
    internal const int StartBytes = 4;

    /// <summary>Could a file that begins so be a program or a module?</summary>
    /// <param name="start">Its first <see cref="StartBytes"/>, if it has so many.</param>
    /// <param name="path">Where it is in the tree.</param>
    public static bool MayBe(ReadOnlySpan<byte> start, string path) =>
        start.StartsWith(ElfMagic) || start.StartsWith("#!"u8) || ModuleNeeds.MayBe(path);

    /// <summary>Reads a file. Null: no program or module, or it needs nothing.</summary>
    /// <param name="content">The file, or its beginning.</param>
    /// <param name="path">Where it is in the tree.</param>
    public static ProgramNeeds? Read(ReadOnlySpan<byte> content, string path)
    {
        if (content.StartsWith(ElfMagic))
        {
            ProgramNeeds? elf = ReadElf(content);
            return elf is null ? null : elf with { Modules = ModuleNeeds.OfInterpreter(path) };
        }

        ProgramNeeds? script = content.StartsWith("#!"u8) ? ReadScript(content[2..]) : null;
        string? interpreter = script is null ? null : script.Commands.Concat(script.Paths).First();
        ModuleNeeds? modules = ModuleNeeds.Read(content, path, interpreter);
        return script is null && modules is null ? null : (script ?? s_nothing) with
        {
            Modules = modules,
            Words = s_shells.Contains(Path.GetFileName(interpreter)) ? ShellWords.Of(ModuleNeeds.SourceOf(content)) : [],
        };
    }

    private static ProgramNeeds? ReadScript(ReadOnlySpan<byte> content)
    {
        int end = content[..Math.Min(content.Length, MaxNameBytes)].IndexOf((byte)'\n');
        if (end <= 0)
        {
            return null;
        }

        string[] words = Encoding.UTF8.GetString(content[..end]).Split([' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries);
        if (words.Length == 0 || words[0][0] != '/')
        {
            return null;
        }

        string? command = words[0].EndsWith("/env", StringComparison.Ordinal)
            ? words.Skip(1).FirstOrDefault(word => word[0] != '-' && !word.Contains('=', StringComparison.Ordinal))
            : null;
        string[] commands = command is null || command.Contains('/', StringComparison.Ordinal) ? [] : [command];
        return new ProgramNeeds([words[0]], commands, [], [], null);
    }

    private static ProgramNeeds? ReadElf(ReadOnlySpan<byte> content)
    {
        if (content.Length < HeaderBytes || content[4] != 2 || content[5] != 1)
        {
            return null;
        }

        string? triplet = BinaryPrimitives.ReadUInt16LittleEndian(content[18..]) switch
        {
            62 => "x86_64-linux-gnu",
            183 => "aarch64-linux-gnu",
            _ => null,
        };
        ulong table = BinaryPrimitives.ReadUInt64LittleEndian(content[32..]);
        int size = BinaryPrimitives.ReadUInt16LittleEndian(content[54..]);
        int count = Math.Min((int)BinaryPrimitives.ReadUInt16LittleEndian(content[56..]), MaxHeaders);
        if (size != ProgramHeaderBytes)
        {
            return null;
        }

        List<string> paths = [];
        ReadOnlySpan<byte> dynamic = [];
        List<(ulong Address, ulong Offset, ulong Bytes)> loaded = [];
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> header = Part(content, table + (ulong)(i * ProgramHeaderBytes), ProgramHeaderBytes);
            if (header.IsEmpty)
            {
                break;
            }

            ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(header[8..]);
            ulong bytes = BinaryPrimitives.ReadUInt64LittleEndian(header[32..]);
            switch (BinaryPrimitives.ReadUInt32LittleEndian(header))
            {
                case Load:
                    loaded.Add((BinaryPrimitives.ReadUInt64LittleEndian(header[16..]), offset, bytes));
                    break;
                case Dynamic:
                    dynamic = Part(content, offset, Math.Min(bytes, MaxDynamic * 16));
                    break;
                case Interpreter when bytes <= MaxPathBytes && Name(Part(content, offset, bytes), MaxPathBytes) is { } loader
                    && loader[0] == '/':
                    paths.Add(loader);
                    break;
            }
        }

        (List<string> libraries, List<string> search) = ReadDynamic(content, dynamic, loaded);
        return paths.Count + libraries.Count == 0 ? null : new ProgramNeeds(paths, [], libraries, search, triplet);
    }

    private static (List<string> Libraries, List<string> Search) ReadDynamic(ReadOnlySpan<byte> content, ReadOnlySpan<byte> dynamic,
        List<(ulong Address, ulong Offset, ulong Bytes)> loaded)
    {
        List<string> libraries = [];
        List<string> search = [];
        ReadOnlySpan<byte> strings = [];
        for (int at = 0; at + 16 <= dynamic.Length; at += 16)
        {
            if (BinaryPrimitives.ReadInt64LittleEndian(dynamic[at..]) == StringTable)
            {
                ulong address = BinaryPrimitives.ReadUInt64LittleEndian(dynamic[(at + 8)..]);
                foreach ((ulong start, ulong offset, ulong bytes) in loaded)
                {
                    if (address >= start && address - start < bytes && offset + (address - start) < (ulong)content.Length)
                    {
                        strings = content[(int)(offset + (address - start))..];
                    }
                }
            }
        }

        for (int at = 0; at + 16 <= dynamic.Length && libraries.Count < MaxNames; at += 16)
        {
            long tag = BinaryPrimitives.ReadInt64LittleEndian(dynamic[at..]);
            ulong value = BinaryPrimitives.ReadUInt64LittleEndian(dynamic[(at + 8)..]);
            if (tag == 0)
            {
                break;
            }

            if (value >= (ulong)strings.Length)
            {
                continue;
            }

            ReadOnlySpan<byte> text = strings[(int)value..];
            if (tag == Needed && Name(text, MaxNameBytes) is { } library && !library.Contains('/', StringComparison.Ordinal))
            {
                libraries.Add(library);
            }
            else if (tag is RPath or RunPath && Name(text, MaxPathBytes) is { } path)
            {
                search.AddRange(path.Split(':', StringSplitOptions.RemoveEmptyEntries).Take(MaxNames - search.Count));
            }
        }

        return (libraries, search);
    }

    /// <summary>Bytes of the file; empty when it does not have them all.</summary>
    private static ReadOnlySpan<byte> Part(ReadOnlySpan<byte> content, ulong offset, ulong bytes) =>
        offset <= (ulong)content.Length && bytes <= (ulong)content.Length - offset ? content.Slice((int)offset, (int)bytes) : [];

    /// <summary>A text that ends with a zero byte; null: it is empty, too long, or does not end.</summary>
    private static string? Name(ReadOnlySpan<byte> text, int maxBytes)
    {
        int end = text[..Math.Min(text.Length, maxBytes + 1)].IndexOf((byte)0);
        return end <= 0 ? null : Encoding.UTF8.GetString(text[..end]);
    }
}
