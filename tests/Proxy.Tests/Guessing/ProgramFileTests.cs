using System.Buffers.Binary;
using System.Text;
using Breakwater.Proxy.Guessing;

namespace Breakwater.Proxy.Tests.Guessing;

/// <summary>Programs made by hand: one field of them is another each time.</summary>
public sealed class ProgramFileTests
{
    private const int Load = 1, Dynamic = 2, Interpreter = 3;
    private const long Needed = 1, StringTable = 5, RPath = 15, RunPath = 29;
    private const ulong Address = 0x400000;

    private readonly List<(int Type, ulong Offset, ulong Address, ulong Bytes)> _headers = [];
    private readonly List<(long Tag, long Value)> _dynamic = [];
    private readonly List<byte> _strings = [0];
    private byte _class = 2;
    private byte _order = 1;
    private ushort _machine = 62;
    private ushort _entryBytes = 56;
    private string? _loader = "/lib64/ld.so";

    [Fact]
    public void Read_AProgram_IsWhatItNames()
    {
        Add(Needed, "libc.so.6");
        Add(Needed, "lib/own.so"); // a path is no name
        Add(RPath, "/opt/lib:$ORIGIN/../lib");
        Add(RunPath, ":/x:");
        Add(Needed, "libm.so.6");

        ProgramNeeds needs = Read()!;

        Assert.Equal(["/lib64/ld.so"], needs.Paths);
        Assert.Equal(["libc.so.6", "libm.so.6"], needs.Libraries);
        Assert.Equal(["/opt/lib", "$ORIGIN/../lib", "/x"], needs.LibraryPaths);
        Assert.Empty(needs.Commands);
    }

    [Theory]
    [InlineData(62, "x86_64-linux-gnu")]
    [InlineData(183, "aarch64-linux-gnu")]
    [InlineData(243, null)]
    public void Read_OfAMachine_HasItsTriplet(ushort machine, string? triplet)
    {
        _machine = machine;

        Assert.Equal(triplet, Read()!.Triplet);
    }

    [Theory]
    [InlineData("32 bit")]
    [InlineData("big endian")]
    [InlineData("other headers")]
    [InlineData("nothing needed")]
    [InlineData("loader without a slash")]
    [InlineData("loader without an end")]
    [InlineData("cut before its headers")]
    public void Read_WhatIsNoProgramOfOurs_NeedsNothing(string what)
    {
        _class = what == "32 bit" ? (byte)1 : (byte)2;
        _order = what == "big endian" ? (byte)2 : (byte)1;
        _entryBytes = what == "other headers" ? (ushort)57 : (ushort)56;
        _loader = what switch { "nothing needed" => null, "loader without a slash" => "ld.so", _ => _loader };
        byte[] program = Make();
        if (what == "loader without an end")
        {
            program[program.AsSpan().IndexOf("ld.so\0"u8) + 5] = (byte)'x';
        }

        Assert.Null(ProgramNeeds.Read(what == "cut before its headers" ? program[..119] : program, "/bin/app"));
        Assert.True(ProgramNeeds.MayBe(program, "/bin/app"));
    }

    [Fact]
    public void Read_OnlyLibrariesOrOnlyALoader_IsEnough()
    {
        Assert.Equal(["/lib64/ld.so"], Read()!.Paths);
        _loader = null;
        Add(Needed, "libc.so.6");
        Assert.Equal(["libc.so.6"], Read()!.Libraries);
    }

    /// <summary>The table of strings may stand behind all that it is for, at the very end.</summary>
    [Fact]
    public void Read_StringTableLast_IsFound()
    {
        Add(Needed, "libc.so.6");
        Assert.Equal(["libc.so.6"], Read(tableFirst: false)!.Libraries);
        Add(Needed, "libm.so.6");
        Assert.Equal(["libc.so.6", "libm.so.6"], Read(tableFirst: true)!.Libraries);
    }

    [Fact]
    public void Read_BehindTheEndOfTheTable_IsNothing()
    {
        Add(Needed, "libc.so.6");
        _dynamic.Add((0, 0));
        Add(Needed, "libm.so.6");

        Assert.Equal(["libc.so.6"], Read()!.Libraries);
    }

    /// <summary>Each address is in one segment: those that begin before it, or behind it, say nothing of it.</summary>
    [Theory]
    [InlineData(0x3fffc0, 0x20, 0)] // ends before it
    [InlineData(0x3ffff0, 0x10, 0)] // ends where the right one begins
    [InlineData(0x400010, ulong.MaxValue, 0x20)] // begins behind it
    [InlineData(0x300000, ulong.MaxValue, 0)] // reaches beyond the file
    public void Read_OtherSegments_AreNotTakenForTheOneOfTheStrings(ulong address, ulong bytes, ulong offset)
    {
        Add(Needed, "libc.so.6");
        _headers.Add((Load, offset, address, bytes));

        Assert.Equal(["libc.so.6"], Read()!.Libraries);
    }

    [Fact]
    public void Read_AStringBeyondTheFile_IsPassedOver()
    {
        _dynamic.Add((Needed, 1 << 20));
        _dynamic.Add((Needed, -1));
        Add(Needed, "libc.so.6");

        Assert.Equal(["libc.so.6"], Read()!.Libraries);
    }

    [Theory]
    [InlineData(255, 1)]
    [InlineData(256, 0)]
    public void Read_LongestNameOfALibrary_Is255Bytes(int length, int libraries)
    {
        Add(Needed, new string('l', length));

        Assert.Equal(libraries, Read()!.Libraries.Count);
    }

    [Theory]
    [InlineData(4095, 1)]
    [InlineData(4096, 0)]
    public void Read_LongestPathOfALoader_Is4KiBWithItsEnd(int length, int paths)
    {
        Add(Needed, "libc.so.6");
        _loader = "/".PadRight(length, 'l');

        Assert.Equal(paths, Read()!.Paths.Count);
    }

    [Fact]
    public void Read_MoreThanItMayName_IsCutOff()
    {
        for (int i = 0; i < 130; i++)
        {
            Add(RunPath, $"/a{i}:/b{i}");
            Add(Needed, $"lib{i}.so");
        }

        ProgramNeeds needs = Read()!;
        Assert.Equal(128, needs.Libraries.Count);
        Assert.Equal(128, needs.LibraryPaths.Count);
        Assert.Equal("/b63", needs.LibraryPaths[^1]);
    }

    [Theory]
    [InlineData(61, 1)]
    [InlineData(62, 0)]
    public void Read_HeadersBeyondThe64th_AreNotRead(int before, int paths)
    {
        for (int i = 0; i < before; i++)
        {
            _headers.Add((7, 0, 0, 0));
        }

        Add(Needed, "libc.so.6");
        Assert.Equal(paths, Read()!.Paths.Count);
    }

    [Theory]
    [InlineData(254, true)]
    [InlineData(255, false)]
    public void Read_LongestFirstLineOfAScript_Is254Bytes(int length, bool isRead) =>
        Assert.Equal(isRead, ProgramNeeds.Read(Encoding.ASCII.GetBytes("#!" + "/".PadRight(length, 'x') + "\n"), "/bin/app") is not null);

    [Theory]
    [InlineData("#!", true)]
    [InlineData("\u007fELF", true)]
    [InlineData("\u007fEL", false)]
    [InlineData("# !", false)]
    public void MayBe_FourBytes_Tell(string start, bool expected) =>
        Assert.Equal(expected, ProgramNeeds.MayBe(Encoding.ASCII.GetBytes(start), "/bin/app"));

    [Theory]
    [InlineData("/lib/os.py", true)]
    [InlineData("/lib/__pycache__/os.cpython-311.pyc", true)]
    [InlineData("/lib/strict.pm", true)]
    [InlineData("/lib/os.pyx", false)]
    public void MayBe_AModule_IsOneByItsName(string path, bool expected) => Assert.Equal(expected, ProgramNeeds.MayBe("text"u8, path));

    private void Add(long tag, string text)
    {
        _dynamic.Add((tag, _strings.Count));
        _strings.AddRange(Encoding.ASCII.GetBytes(text));
        _strings.Add(0);
    }

    private ProgramNeeds? Read(bool tableFirst = true) => ProgramNeeds.Read(Make(tableFirst), "/bin/app");

    /// <summary>Its header, its program headers (the loader's last), its dynamic section, its loader's path, its strings.</summary>
    private byte[] Make(bool tableFirst = true)
    {
        byte[] loader = [.. Encoding.ASCII.GetBytes(_loader ?? ""), 0];
        int headers = _headers.Count + (_loader is null ? 2 : 3);
        ulong dynamicAt = (ulong)(64 + (headers * 56));
        ulong loaderAt = dynamicAt + (ulong)(16 * (_dynamic.Count + 1));
        ulong stringsAt = loaderAt + (ulong)loader.Length;
        List<(int Type, ulong Offset, ulong Address, ulong Bytes)> all =
        [
            (Load, stringsAt, Address, (ulong)_strings.Count), .. _headers, (Dynamic, dynamicAt, 0, (ulong)(16 * (_dynamic.Count + 1))),
        ];
        if (_loader is not null)
        {
            all.Add((Interpreter, loaderAt, 0, (ulong)loader.Length));
        }

        (long, long) table = (StringTable, (long)Address);
        List<(long Tag, long Value)> dynamic = tableFirst ? [table, .. _dynamic] : [.. _dynamic, table];
        byte[] program = new byte[stringsAt + (ulong)_strings.Count];
        "\u007fELF"u8.CopyTo(program);
        (program[4], program[5]) = (_class, _order);
        BinaryPrimitives.WriteUInt16LittleEndian(program.AsSpan(18), _machine);
        BinaryPrimitives.WriteUInt64LittleEndian(program.AsSpan(32), 64);
        BinaryPrimitives.WriteUInt16LittleEndian(program.AsSpan(54), _entryBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(program.AsSpan(56), (ushort)headers);
        foreach ((int i, (int type, ulong offset, ulong address, ulong bytes)) in all.Index())
        {
            Span<byte> header = program.AsSpan(64 + (i * 56), 56);
            BinaryPrimitives.WriteInt32LittleEndian(header, type);
            BinaryPrimitives.WriteUInt64LittleEndian(header[8..], offset);
            BinaryPrimitives.WriteUInt64LittleEndian(header[16..], address);
            BinaryPrimitives.WriteUInt64LittleEndian(header[32..], bytes);
        }

        foreach ((int i, (long tag, long value)) in dynamic.Index())
        {
            BinaryPrimitives.WriteInt64LittleEndian(program.AsSpan((int)dynamicAt + (16 * i)), tag);
            BinaryPrimitives.WriteInt64LittleEndian(program.AsSpan((int)dynamicAt + (16 * i) + 8), value);
        }

        loader.CopyTo(program, (int)loaderAt);
        _strings.CopyTo(program, (int)stringsAt);
        return program;
    }
}
