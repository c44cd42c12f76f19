using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Breakwater.Proxy.Guessing;
using CsCheck;

namespace Breakwater.Proxy.Tests.Guessing;

public sealed class ProgramNeedsTests
{
    private static ProgramNeeds? Read(byte[] content) => ProgramNeeds.Read(content, "/bin/app");

    [Fact]
    public void Read_ARealProgram_NamesItsLoaderAndLibraries()
    {
        ProgramNeeds needs = Read(File.ReadAllBytes(Environment.ProcessPath!))!;

        Assert.StartsWith("/lib", Assert.Single(needs.Paths), StringComparison.Ordinal);
        Assert.Contains("libc.so.6", needs.Libraries);
        bool isArm = RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.Arm64;
        Assert.Equal(isArm ? "aarch64-linux-gnu" : "x86_64-linux-gnu", needs.Triplet);
    }

    [Theory]
    [InlineData("#!/bin/sh\n", "/bin/sh", null)]
    [InlineData("#! /bin/sh -e\nexit", "/bin/sh", null)]
    [InlineData("#!/usr/bin/env python3\r\nimport os", "/usr/bin/env", "python3")]
    [InlineData("#!/usr/bin/env -S PATH=/x perl -w\n", "/usr/bin/env", "perl")]
    [InlineData("#!/usr/bin/env /opt/x\n", "/usr/bin/env", null)]
    [InlineData("#!/\n", "/", null)]
    public void Read_AScript_NamesItsInterpreter(string content, string path, string? command)
    {
        ProgramNeeds needs = Read(System.Text.Encoding.UTF8.GetBytes(content))!;

        Assert.Equal([path], needs.Paths);
        Assert.Equal(command is null ? [] : [command], needs.Commands);
    }

    [Theory]
    [InlineData("")]
    [InlineData("#!")]
    [InlineData("#!\n")]
    [InlineData("#!bin/sh\n")]
    [InlineData("#!/bin/sh")]
    [InlineData("a text")]
    [InlineData("\u007fELF")]
    public void Read_NoProgram_NeedsNothing(string content) => Assert.Null(Read(System.Text.Encoding.UTF8.GetBytes(content)));

    [Fact]
    public void Read_Headers_AreAsManyAsAProgramStatesAndSixtyFourAtMost()
    {
        string[] loaders = [.. Enumerable.Range(0, 65).Select(i => $"/ld{i}")];

        Assert.Equal(loaders[..1], Read(Program(stated: 1, loaders[..3], []))!.Paths);
        Assert.Equal(loaders[..64], Read(Program(stated: 65, loaders, []))!.Paths);
        Assert.Null(Read(Program(stated: 0, loaders[..1], [])));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(128, 128)]
    [InlineData(129, 128)]
    public void Read_Libraries_AreAsManyAsAreRead(int named, int read)
    {
        string[] libraries = ["z", .. Enumerable.Range(1, named - 1).Select(i => $"lib{i}.so")];

        ProgramNeeds needs = Read(Program(stated: 2, [], libraries))!;

        Assert.Equal(libraries[..read], needs.Libraries);
        Assert.Equal((0, 0, null), (needs.Paths.Count, needs.LibraryPaths.Count, needs.Triplet));
    }

    /// <summary>The content is the publisher's: whatever it is, it is read in bounds and gives a bounded number of names.</summary>
    [Fact]
    public void Read_AnyDamage_IsReadInBounds()
    {
        byte[] program = File.ReadAllBytes(Environment.ProcessPath!);
        Gen.Select(Gen.Int[0, 1 << 12].Array[0, 40], Gen.Byte.Array[40], Gen.Int[0, program.Length]).Sample(
            (places, values, length) =>
            {
                byte[] damaged = program[..Math.Max(length, 64)];
                for (int i = 0; i < places.Length; i++)
                {
                    damaged[places[i] % damaged.Length] = values[i];
                }

                ProgramNeeds? needs = Read(damaged);
                Assert.True(needs is null || (needs.Libraries.Count <= ProgramNeeds.MaxNames && needs.Paths.Count <= 64));
            },
            iter: 3000);
    }

    /// <summary>
    /// A program of a header for each loader; with libraries two more before them, of all that is loaded and of what is linked.
    /// </summary>
    private static byte[] Program(int stated, string[] loaders, string[] libraries)
    {
        const int Linked = 8 << 10, Texts = 16 << 10;
        byte[] file = new byte[32 << 10];
        "\u007fELF\u0002\u0001"u8.CopyTo(file);
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(32), 64);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(54), 56);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(56), (ushort)stated);
        (int header, int text, int link) = (64, Texts + 1, Linked);
        if (libraries.Length > 0)
        {
            AddHeader(1, 0, file.Length);
            AddHeader(2, Linked, (libraries.Length + 2) * 16);
            AddLink(5, Texts);
        }

        foreach (string library in libraries)
        {
            AddLink(1, AddText(library) - Texts);
        }

        foreach (string loader in loaders)
        {
            AddHeader(3, AddText(loader), loader.Length + 1);
        }

        return file;

        void AddHeader(uint type, int offset, int bytes)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(header), type);
            BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(header + 8), (ulong)offset);
            BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(header + 16), (ulong)offset);
            BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(header + 32), (ulong)bytes);
            header += 56;
        }

        void AddLink(long tag, int value)
        {
            BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(link), tag);
            BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(link + 8), value);
            link += 16;
        }

        int AddText(string name)
        {
            int at = text;
            text += System.Text.Encoding.UTF8.GetBytes(name, file.AsSpan(at)) + 1;
            return at;
        }
    }
}
