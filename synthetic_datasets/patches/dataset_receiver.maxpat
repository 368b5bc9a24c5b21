{
  "patcher": {
    "fileversion": 1,
    "appversion": {
      "major": 8,
      "minor": 6,
      "revision": 0,
      "architecture": "x64",
      "modernui": 1
    },
    "classnamespace": "box",
    "rect": [60.0, 90.0, 1510.0, 960.0],
    "bglocked": 0,
    "openinpresentation": 0,
    "default_fontsize": 12.0,
    "default_fontface": 0,
    "default_fontname": "Arial",
    "gridonopen": 1,
    "gridsize": [15.0, 15.0],
    "gridsnaponopen": 1,
    "objectsnaponopen": 1,
    "statusbarvisible": 2,
    "toolbarvisible": 1,
    "enablehscroll": 1,
    "enablevscroll": 1,
    "boxes": [
      {
        "box": {
          "id": "obj-1",
          "maxclass": "comment",
          "numinlets": 1,
          "numoutlets": 0,
          "patching_rect": [15.0, 10.0, 700.0, 20.0],
          "fontface": 1,
          "text": "dataset_receiver: records the clips that synthetic-datasets asks for over OSC (engine \"osc\")"
        }
      },
      {
        "box": {
          "id": "obj-2",
          "maxclass": "comment",
          "numinlets": 1,
          "numoutlets": 0,
          "patching_rect": [15.0, 35.0, 620.0, 34.0],
          "linecount": 2,
          "text": "Put your synthesiser into [p your_synthesiser], leave this patch open, and run: synthetic-datasets generate CONFIG. docs/patches.md explains the messages."
        }
      },
      {
        "box": {
          "id": "obj-3",
          "maxclass": "newobj",
          "numinlets": 1,
          "numoutlets": 1,
          "outlettype": [""],
          "patching_rect": [15.0, 85.0, 111.0, 22.0],
          "text": "udpreceive 8000"
        }
      },
      {
        "box": {
          "id": "obj-4",
          "maxclass": "comment",
          "numinlets": 1,
          "numoutlets": 0,
          "patching_rect": [135.0, 86.0, 170.0, 20.0],
          "text": "= send_port in the config"
        }
      },
      {
        "box": {
          "id": "obj-5",
          "maxclass": "newobj",
          "numinlets": 9,
          "numoutlets": 9,
          "outlettype": ["", "", "", "", "", "", "", "", ""],
          "patching_rect": [15.0, 125.0, 1300.0, 22.0],
          "text": "route maxPDToPy_OSCPortNumber sampleRate bufferLength_ms clearBuffer filePath audioFileVolume seed startRecordAudioToBuffer"
        }
      },
      {
        "box": {
          "id": "obj-6",
          "maxclass": "newobj",
          "numinlets": 9,
          "numoutlets": 9,
          "outlettype": ["", "", "", "", "", "", "", "", ""],
          "patching_rect": [15.0, 165.0, 1300.0, 22.0],
          "text": "route /maxPDToPy_OSCPortNumber /sampleRate /bufferLength_ms /clearBuffer /filePath /audioFileVolume /seed /startRecordAudioToBuffer"
        }
      },
      {
        "box": {
          "id": "obj-7",
          "maxclass": "comment",
          "numinlets": 1,
          "numoutlets": 0,
          "patching_rect": [1325.0, 166.0, 150.0, 34.0],
          "linecount": 2,
          "text": "the same with a slash, for leading_slash true"
        }
      },
      {
        "box": {
          "id": "obj-8",
          "maxclass": "newobj",
          "numinlets": 1,
          "numoutlets": 1,
          "outlettype": [""],
          "patching_rect": [15.0, 240.0, 91.0, 22.0],
          "text": "prepend port"
        }
      },
      {
        "box": {
          "id": "obj-9",
          "maxclass": "comment",
          "numinlets": 1,
          "numoutlets": 0,
          "patching_rect": [15.0, 215.0, 110.0, 20.0],
          "text": "where to reply"
        }
      },
      {
        "box": {
          "id": "obj-10",
          "maxclass": "comment",
          "numinlets": 1,
          "numoutlets": 0,
          "patching_rect": [145.0, 215.0, 180.0, 20.0],
          "text": "the driver's rate, and audio on"
        }
      },
      {
        "box": {
          "id": "obj-11",
          "maxclass": "newobj",
          "numinlets": 1,
          "numoutlets": 2,
          "outlettype": ["bang", "int"],
          "patching_rect": [175.0, 240.0, 45.0, 22.0],
          "text": "t b i"
        }
      },
      {
        "box": {
          "id": "obj-12",
          "maxclass": "message",
          "numinlets": 2,
          "numoutlets": 1,
          "outlettype": [""],
          "patching_rect": [145.0, 285.0, 73.0, 37.0],
          "linecount": 2,
          "text": ";\rdsp start"
        }
      },
      {
        "box": {
          "id": "obj-13",
          "maxclass": "message",
          "numinlets": 2,
          "numoutlets": 1,
          "outlettype": [""],
          "patching_rect": [235.0, 285.0, 73.0, 37.0],
          "linecount": 2,
          "text": ";\rdsp sr $1"
        }
      },
      {
        "box": {
          "id": "obj-14",
          "maxclass": "comment",
          "numinlets": 1,
          "numoutlets": 0,
          "patching_rect": [335.0, 215.0, 120.0, 20.0],
          "text": "milliseconds"
        }
      },
      {
        "box": {
          "id": "obj-15",
          "maxclass": "newobj",
          "numinlets": 1,
          "numoutlets": 1,
          "outlettype": [""],
          "patching_rect": [335.0, 240.0, 111.0, 22.0],
          "text": "prepend setsize"
        }
      },
      {
        "box": {
          "id": "obj-16",
          "maxclass": "message",
          "numinlets": 2,
          "numoutlets": 1,
          "outlettype": [""],
          "patching_rect": [495.0, 240.0, 47.0, 22.0],
          "text": "clear"
        }
      },
      {
        "box": {
          "id": "obj-17",
          "maxclass": "comment",
          "numinlets": 1,
          "numoutlets": 0,
          "patching_rect": [630.0, 215.0, 215.0, 20.0],
          "text": "kept for writing, and for the reply"
        }
      },
      {
        "box": {
          "id": "obj-18",
          "maxclass": "newobj",
          "numinlets": 2,
          "numoutlets": 2,
          "outlettype": ["", ""],
          "patching_rect": [655.0, 285.0, 51.0, 22.0],
          "text": "zl.reg"
        }
      },
      {
        "box": {
          "id": "obj-19",
          "maxclass": "newobj",
          "numinlets": 2,
          "numoutlets": 2,
          "outlettype": ["", ""],
          "patching_rect": [725.0, 285.0, 51.0, 22.0],
          "text": "zl.reg"
        }
      },
      {
        "box": {
          "id": "obj-20",
          "maxclass": "comment",
          "numinlets": 1,
          "numoutlets": 0,
          "patching_rect": [1085.0, 215.0, 220.0, 20.0],
          "text": "clean slate, then settle, then record"
        }
      },
      {
        "box": {
          "id": "obj-21",
          "maxclass": "newobj",
          "numinlets": 1,
          "numoutlets": 2,
          "outlettype": ["bang", "bang"],
          "patching_rect": [1135.0, 240.0, 45.0, 22.0],
          "text": "t b b"
        }
      },
      {
        "box": {
          "id": "obj-22",
          "maxclass": "newobj",
          "numinlets": 3,
          "numoutlets": 1,
          "outlettype": ["signal"],
          "patching_rect": [975.0, 350.0, 330.0, 22.0],
          "patcher": {
            "fileversion": 1,
            "appversion": {
              "major": 8,
              "minor": 6,
              "revision": 0,
              "architecture": "x64",
              "modernui": 1
            },
            "classnamespace": "box",
            "rect": [120.0, 140.0, 640.0, 420.0],
            "bglocked": 0,
            "openinpresentation": 0,
            "default_fontsize": 12.0,
            "default_fontface": 0,
            "default_fontname": "Arial",
            "gridonopen": 1,
            "gridsize": [15.0, 15.0],
            "gridsnaponopen": 1,
            "objectsnaponopen": 1,
            "statusbarvisible": 2,
            "toolbarvisible": 1,
            "enablehscroll": 1,
            "enablevscroll": 1,
            "boxes": [
              {
                "box": {
                  "id": "obj-1",
                  "maxclass": "comment",
                  "numinlets": 1,
                  "numoutlets": 0,
                  "patching_rect": [15.0, 10.0, 400.0, 20.0],
                  "fontface": 1,
                  "text": "Put your synthesiser here; this one is an example."
                }
              },
              {
                "box": {
                  "id": "obj-2",
                  "maxclass": "comment",
                  "numinlets": 1,
                  "numoutlets": 0,
                  "patching_rect": [15.0, 35.0, 560.0, 34.0],
                  "linecount": 2,
                  "text": "Every control comes in on the left as a message of its name, such as \"cutoff 800.\", before each clip. Its name has a slash only if leading_slash is true in the config."
                }
              },
              {
                "box": {
                  "id": "obj-3",
                  "maxclass": "inlet",
                  "numinlets": 0,
                  "numoutlets": 1,
                  "outlettype": [""],
                  "patching_rect": [30.0, 85.0, 30.0, 30.0],
                  "comment": "controls: name value",
                  "index": 1
                }
              },
              {
                "box": {
                  "id": "obj-4",
                  "maxclass": "inlet",
                  "numinlets": 0,
                  "numoutlets": 1,
                  "outlettype": [""],
                  "patching_rect": [345.0, 85.0, 30.0, 30.0],
                  "comment": "seed: a whole number",
                  "index": 2
                }
              },
              {
                "box": {
                  "id": "obj-5",
                  "maxclass": "inlet",
                  "numinlets": 0,
                  "numoutlets": 1,
                  "outlettype": [""],
                  "patching_rect": [480.0, 85.0, 30.0, 30.0],
                  "comment": "bang, just before a recording",
                  "index": 3
                }
              },
              {
                "box": {
                  "id": "obj-6",
                  "maxclass": "newobj",
                  "numinlets": 3,
                  "numoutlets": 3,
                  "outlettype": ["", "", ""],
                  "patching_rect": [30.0, 140.0, 144.0, 22.0],
                  "text": "route cutoff /cutoff"
                }
              },
              {
                "box": {
                  "id": "obj-7",
                  "maxclass": "newobj",
                  "numinlets": 1,
                  "numoutlets": 1,
                  "outlettype": ["signal"],
                  "patching_rect": [30.0, 190.0, 51.0, 22.0],
                  "text": "noise~"
                }
              },
              {
                "box": {
                  "id": "obj-8",
                  "maxclass": "newobj",
                  "numinlets": 3,
                  "numoutlets": 1,
                  "outlettype": ["signal"],
                  "patching_rect": [30.0, 240.0, 111.0, 22.0],
                  "text": "lores~ 800. 0.5"
                }
              },
              {
                "box": {
                  "id": "obj-9",
                  "maxclass": "outlet",
                  "numinlets": 1,
                  "numoutlets": 0,
                  "patching_rect": [30.0, 300.0, 30.0, 30.0],
                  "comment": "the sound, one channel",
                  "index": 1
                }
              },
              {
                "box": {
                  "id": "obj-10",
                  "maxclass": "newobj",
                  "numinlets": 1,
                  "numoutlets": 0,
                  "patching_rect": [150.0, 190.0, 150.0, 22.0],
                  "text": "print no_such_control"
                }
              },
              {
                "box": {
                  "id": "obj-11",
                  "maxclass": "comment",
                  "numinlets": 1,
                  "numoutlets": 0,
                  "patching_rect": [345.0, 125.0, 120.0, 104.0],
                  "linecount": 7,
                  "text": "seed, if sends_seed is true: send it to whatever draws by chance, as [random] with [prepend seed], so that a clip can be made again"
                }
              },
              {
                "box": {
                  "id": "obj-12",
                  "maxclass": "comment",
                  "numinlets": 1,
                  "numoutlets": 0,
                  "patching_rect": [480.0, 125.0, 120.0, 90.0],
                  "linecount": 6,
                  "text": "bang before each recording: clear delays, stop notes, so that a clip does not hear the one before it"
                }
              },
              {
                "box": {
                  "id": "obj-13",
                  "maxclass": "comment",
                  "numinlets": 1,
                  "numoutlets": 0,
                  "patching_rect": [75.0, 305.0, 220.0, 20.0],
                  "text": "one channel, at full scale below 1"
                }
              }
            ],
            "lines": [
              {
                "patchline": {
                  "destination": ["obj-6", 0],
                  "source": ["obj-3", 0]
                }
              },
              {
                "patchline": {
                  "destination": ["obj-8", 1],
                  "source": ["obj-6", 0]
                }
              },
              {
                "patchline": {
                  "destination": ["obj-8", 1],
                  "source": ["obj-6", 1]
                }
              },
              {
                "patchline": {
                  "destination": ["obj-10", 0],
                  "source": ["obj-6", 2]
                }
              },
              {
                "patchline": {
                  "destination": ["obj-8", 0],
                  "source": ["obj-7", 0]
                }
              },
              {
                "patchline": {
                  "destination": ["obj-9", 0],
                  "source": ["obj-8", 0]
                }
              }
            ]
          },
          "text": "p your_synthesiser"
        }
      },
      {
        "box": {
          "id": "obj-23",
          "maxclass": "comment",
          "numinlets": 1,
          "numoutlets": 0,
          "patching_rect": [1315.0, 351.0, 150.0, 20.0],
          "text": "controls, seed, bang"
        }
      },
      {
        "box": {
          "id": "obj-24",
          "maxclass": "gain~",
          "numinlets": 1,
          "numoutlets": 2,
          "outlettype": ["signal", ""],
          "patching_rect": [975.0, 395.0, 22.0, 140.0],
          "multichannelvariant": 0,
          "parameter_enable": 0
        }
      },
      {
        "box": {
          "id": "obj-25",
          "maxclass": "comment",
          "numinlets": 1,
          "numoutlets": 0,
          "patching_rect": [1090.0, 395.0, 210.0, 62.0],
          "linecount": 4,
          "text": "audioFileVolume, 0 to 158 in whole steps of 0.6 dB; 128 changes nothing. Moves over 10 ms, within the delay before recording."
        }
      },
      {
        "box": {
          "id": "obj-26",
          "maxclass": "ezdac~",
          "numinlets": 2,
          "numoutlets": 0,
          "patching_rect": [1025.0, 490.0, 45.0, 45.0]
        }
      },
      {
        "box": {
          "id": "obj-27",
          "maxclass": "comment",
          "numinlets": 1,
          "numoutlets": 0,
          "patching_rect": [1080.0, 503.0, 170.0, 20.0],
          "text": "to listen, in real time"
        }
      },
      {
        "box": {
          "id": "obj-28",
          "maxclass": "newobj",
          "numinlets": 2,
          "numoutlets": 1,
          "outlettype": ["bang"],
          "patching_rect": [815.0, 395.0, 64.0, 22.0],
          "text": "delay 50"
        }
      },
      {
        "box": {
          "id": "obj-29",
          "maxclass": "comment",
          "numinlets": 1,
          "numoutlets": 0,
          "patching_rect": [600.0, 390.0, 205.0, 34.0],
          "linecount": 2,
          "text": "milliseconds to settle; longer if your synthesiser takes longer"
        }
      },
      {
        "box": {
          "id": "obj-30",
          "maxclass": "message",
          "numinlets": 2,
          "numoutlets": 1,
          "outlettype": [""],
          "patching_rect": [815.0, 440.0, 35.0, 22.0],
          "text": "1"
        }
      },
      {
        "box": {
          "id": "obj-31",
          "maxclass": "newobj",
          "numinlets": 3,
          "numoutlets": 1,
          "outlettype": ["signal"],
          "patching_rect": [815.0, 560.0, 144.0, 22.0],
          "text": "record~ texture_clip"
        }
      },
      {
        "box": {
          "id": "obj-32",
          "maxclass": "newobj",
          "numinlets": 2,
          "numoutlets": 1,
          "outlettype": ["signal"],
          "patching_rect": [815.0, 605.0, 55.0, 22.0],
          "text": ">~ 0."
        }
      },
      {
        "box": {
          "id": "obj-33",
          "maxclass": "newobj",
          "numinlets": 2,
          "numoutlets": 1,
          "outlettype": ["signal"],
          "patching_rect": [885.0, 605.0, 55.0, 22.0],
          "text": "<~ 1."
        }
      },
      {
        "box": {
          "id": "obj-34",
          "maxclass": "newobj",
          "numinlets": 2,
          "numoutlets": 1,
          "outlettype": ["signal"],
          "patching_rect": [815.0, 645.0, 89.0, 22.0],
          "text": "*~"
        }
      },
      {
        "box": {
          "id": "obj-35",
          "maxclass": "newobj",
          "numinlets": 1,
          "numoutlets": 2,
          "outlettype": ["bang", "bang"],
          "patching_rect": [815.0, 685.0, 55.0, 22.0],
          "text": "edge~"
        }
      },
      {
        "box": {
          "id": "obj-36",
          "maxclass": "newobj",
          "numinlets": 1,
          "numoutlets": 1,
          "outlettype": [""],
          "patching_rect": [851.0, 725.0, 64.0, 22.0],
          "text": "deferlow"
        }
      },
      {
        "box": {
          "id": "obj-37",
          "maxclass": "newobj",
          "numinlets": 1,
          "numoutlets": 2,
          "outlettype": ["bang", "bang"],
          "patching_rect": [851.0, 765.0, 65.0, 22.0],
          "text": "t b b"
        }
      },
      {
        "box": {
          "id": "obj-38",
          "maxclass": "comment",
          "numinlets": 1,
          "numoutlets": 0,
          "patching_rect": [960.0, 605.0, 220.0, 48.0],
          "linecount": 3,
          "text": "1 while record~'s sync signal runs from 0 to 1; when it falls, the recording has ended"
        }
      },
      {
        "box": {
          "id": "obj-39",
          "maxclass": "newobj",
          "numinlets": 1,
          "numoutlets": 1,
          "outlettype": [""],
          "patching_rect": [545.0, 685.0, 124.0, 22.0],
          "text": "prepend writewave"
        }
      },
      {
        "box": {
          "id": "obj-40",
          "maxclass": "newobj",
          "numinlets": 1,
          "numoutlets": 2,
          "outlettype": ["float", "bang"],
          "patching_rect": [335.0, 765.0, 170.0, 22.0],
          "text": "buffer~ texture_clip 1000"
        }
      },
      {
        "box": {
          "id": "obj-41",
          "maxclass": "comment",
          "numinlets": 1,
          "numoutlets": 0,
          "patching_rect": [515.0, 766.0, 290.0, 20.0],
          "text": "the right outlet bangs when the file is written"
        }
      },
      {
        "box": {
          "id": "obj-42",
          "maxclass": "newobj",
          "numinlets": 2,
          "numoutlets": 2,
          "outlettype": ["bang", "bang"],
          "patching_rect": [495.0, 810.0, 58.0, 22.0],
          "text": "onebang"
        }
      },
      {
        "box": {
          "id": "obj-43",
          "maxclass": "comment",
          "numinlets": 1,
          "numoutlets": 0,
          "patching_rect": [570.0, 811.0, 330.0, 20.0],
          "text": "lets through only the bang of a write that was asked for"
        }
      },
      {
        "box": {
          "id": "obj-44",
          "maxclass": "newobj",
          "numinlets": 1,
          "numoutlets": 1,
          "outlettype": [""],
          "patching_rect": [80.0, 855.0, 229.0, 22.0],
          "text": "prepend /audioFileRecording_Ended"
        }
      },
      {
        "box": {
          "id": "obj-45",
          "maxclass": "newobj",
          "numinlets": 1,
          "numoutlets": 0,
          "patching_rect": [15.0, 900.0, 157.0, 22.0],
          "text": "udpsend 127.0.0.1 8001"
        }
      },
      {
        "box": {
          "id": "obj-46",
          "maxclass": "comment",
          "numinlets": 1,
          "numoutlets": 0,
          "patching_rect": [190.0, 901.0, 400.0, 20.0],
          "text": "= receive_port in the config, once maxPDToPy_OSCPortNumber has come"
        }
      },
      {
        "box": {
          "id": "obj-47",
          "maxclass": "newobj",
          "numinlets": 1,
          "numoutlets": 1,
          "outlettype": ["bang"],
          "patching_rect": [80.0, 640.0, 64.0, 22.0],
          "text": "loadbang"
        }
      },
      {
        "box": {
          "id": "obj-48",
          "maxclass": "message",
          "numinlets": 2,
          "numoutlets": 1,
          "outlettype": [""],
          "patching_rect": [80.0, 685.0, 225.0, 22.0],
          "text": "samptype float32, format float32"
        }
      },
      {
        "box": {
          "id": "obj-49",
          "maxclass": "comment",
          "numinlets": 1,
          "numoutlets": 0,
          "patching_rect": [150.0, 635.0, 165.0, 34.0],
          "linecount": 2,
          "text": "32-bit float files; 16-bit ones are read too"
        }
      },
      {
        "box": {
          "id": "obj-50",
          "maxclass": "comment",
          "numinlets": 1,
          "numoutlets": 0,
          "patching_rect": [1130.0, 680.0, 300.0, 20.0],
          "fontface": 1,
          "text": "Faster than real time: click from top to bottom"
        }
      },
      {
        "box": {
          "id": "obj-51",
          "maxclass": "message",
          "numinlets": 2,
          "numoutlets": 1,
          "outlettype": [""],
          "patching_rect": [1130.0, 710.0, 179.0, 37.0],
          "linecount": 2,
          "text": ";\rdsp setdriver NonRealTime"
        }
      },
      {
        "box": {
          "id": "obj-52",
          "maxclass": "comment",
          "numinlets": 1,
          "numoutlets": 0,
          "patching_rect": [1330.0, 710.0, 140.0, 34.0],
          "linecount": 2,
          "text": "renders as fast as it can, silently"
        }
      },
      {
        "box": {
          "id": "obj-53",
          "maxclass": "message",
          "numinlets": 2,
          "numoutlets": 1,
          "outlettype": [""],
          "patching_rect": [1130.0, 760.0, 106.0, 37.0],
          "linecount": 2,
          "text": ";\rdsp takeover 1"
        }
      },
      {
        "box": {
          "id": "obj-54",
          "maxclass": "comment",
          "numinlets": 1,
          "numoutlets": 0,
          "patching_rect": [1330.0, 760.0, 165.0, 34.0],
          "linecount": 2,
          "text": "[delay] counts audio; switch on Options > Overdrive too"
        }
      },
      {
        "box": {
          "id": "obj-55",
          "maxclass": "message",
          "numinlets": 2,
          "numoutlets": 1,
          "outlettype": [""],
          "patching_rect": [1130.0, 810.0, 73.0, 37.0],
          "linecount": 2,
          "text": ";\rdsp start"
        }
      },
      {
        "box": {
          "id": "obj-56",
          "maxclass": "comment",
          "numinlets": 1,
          "numoutlets": 0,
          "patching_rect": [1330.0, 810.0, 150.0, 34.0],
          "linecount": 2,
          "text": "audio on; the message sampleRate does it too"
        }
      },
      {
        "box": {
          "id": "obj-57",
          "maxclass": "message",
          "numinlets": 2,
          "numoutlets": 1,
          "outlettype": [""],
          "patching_rect": [1130.0, 860.0, 80.0, 37.0],
          "linecount": 2,
          "text": ";\rdsp status"
        }
      },
      {
        "box": {
          "id": "obj-58",
          "maxclass": "comment",
          "numinlets": 1,
          "numoutlets": 0,
          "patching_rect": [1330.0, 860.0, 140.0, 34.0],
          "linecount": 2,
          "text": "to see the driver, or pick yours again"
        }
      }
    ],
    "lines": [
      {
        "patchline": {
          "destination": ["obj-5", 0],
          "source": ["obj-3", 0]
        }
      },
      {
        "patchline": {
          "destination": ["obj-6", 0],
          "source": ["obj-5", 8]
        }
      },
      {
        "patchline": {
          "destination": ["obj-8", 0],
          "source": ["obj-5", 0]
        }
      },
      {
        "patchline": {
          "destination": ["obj-8", 0],
          "source": ["obj-6", 0]
        }
      },
      {
        "patchline": {
          "destination": ["obj-11", 0],
          "source": ["obj-5", 1]
        }
      },
      {
        "patchline": {
          "destination": ["obj-11", 0],
          "source": ["obj-6", 1]
        }
      },
      {
        "patchline": {
          "destination": ["obj-13", 0],
          "source": ["obj-11", 1]
        }
      },
      {
        "patchline": {
          "destination": ["obj-12", 0],
          "source": ["obj-11", 0]
        }
      },
      {
        "patchline": {
          "destination": ["obj-15", 0],
          "source": ["obj-5", 2]
        }
      },
      {
        "patchline": {
          "destination": ["obj-15", 0],
          "source": ["obj-6", 2]
        }
      },
      {
        "patchline": {
          "destination": ["obj-16", 0],
          "source": ["obj-5", 3]
        }
      },
      {
        "patchline": {
          "destination": ["obj-16", 0],
          "source": ["obj-6", 3]
        }
      },
      {
        "patchline": {
          "destination": ["obj-18", 1],
          "source": ["obj-5", 4]
        }
      },
      {
        "patchline": {
          "destination": ["obj-18", 1],
          "source": ["obj-6", 4]
        }
      },
      {
        "patchline": {
          "destination": ["obj-19", 1],
          "source": ["obj-5", 4]
        }
      },
      {
        "patchline": {
          "destination": ["obj-19", 1],
          "source": ["obj-6", 4]
        }
      },
      {
        "patchline": {
          "destination": ["obj-21", 0],
          "source": ["obj-5", 7]
        }
      },
      {
        "patchline": {
          "destination": ["obj-21", 0],
          "source": ["obj-6", 7]
        }
      },
      {
        "patchline": {
          "destination": ["obj-22", 0],
          "source": ["obj-6", 8]
        }
      },
      {
        "patchline": {
          "destination": ["obj-22", 1],
          "source": ["obj-5", 6]
        }
      },
      {
        "patchline": {
          "destination": ["obj-22", 1],
          "source": ["obj-6", 6]
        }
      },
      {
        "patchline": {
          "destination": ["obj-22", 2],
          "source": ["obj-21", 1]
        }
      },
      {
        "patchline": {
          "destination": ["obj-24", 0],
          "source": ["obj-22", 0]
        }
      },
      {
        "patchline": {
          "destination": ["obj-24", 0],
          "source": ["obj-5", 5]
        }
      },
      {
        "patchline": {
          "destination": ["obj-24", 0],
          "source": ["obj-6", 5]
        }
      },
      {
        "patchline": {
          "destination": ["obj-26", 0],
          "source": ["obj-24", 0]
        }
      },
      {
        "patchline": {
          "destination": ["obj-26", 1],
          "source": ["obj-24", 0]
        }
      },
      {
        "patchline": {
          "destination": ["obj-28", 0],
          "source": ["obj-21", 0]
        }
      },
      {
        "patchline": {
          "destination": ["obj-30", 0],
          "source": ["obj-28", 0]
        }
      },
      {
        "patchline": {
          "destination": ["obj-31", 0],
          "source": ["obj-30", 0]
        }
      },
      {
        "patchline": {
          "destination": ["obj-31", 0],
          "source": ["obj-24", 0]
        }
      },
      {
        "patchline": {
          "destination": ["obj-32", 0],
          "source": ["obj-31", 0]
        }
      },
      {
        "patchline": {
          "destination": ["obj-33", 0],
          "source": ["obj-31", 0]
        }
      },
      {
        "patchline": {
          "destination": ["obj-34", 0],
          "source": ["obj-32", 0]
        }
      },
      {
        "patchline": {
          "destination": ["obj-34", 1],
          "source": ["obj-33", 0]
        }
      },
      {
        "patchline": {
          "destination": ["obj-35", 0],
          "source": ["obj-34", 0]
        }
      },
      {
        "patchline": {
          "destination": ["obj-36", 0],
          "source": ["obj-35", 1]
        }
      },
      {
        "patchline": {
          "destination": ["obj-37", 0],
          "source": ["obj-36", 0]
        }
      },
      {
        "patchline": {
          "destination": ["obj-18", 0],
          "source": ["obj-37", 0]
        }
      },
      {
        "patchline": {
          "destination": ["obj-39", 0],
          "source": ["obj-18", 0]
        }
      },
      {
        "patchline": {
          "destination": ["obj-40", 0],
          "source": ["obj-39", 0]
        }
      },
      {
        "patchline": {
          "destination": ["obj-40", 0],
          "source": ["obj-15", 0]
        }
      },
      {
        "patchline": {
          "destination": ["obj-40", 0],
          "source": ["obj-16", 0]
        }
      },
      {
        "patchline": {
          "destination": ["obj-42", 0],
          "source": ["obj-40", 1]
        }
      },
      {
        "patchline": {
          "destination": ["obj-42", 1],
          "source": ["obj-37", 1]
        }
      },
      {
        "patchline": {
          "destination": ["obj-19", 0],
          "source": ["obj-42", 0]
        }
      },
      {
        "patchline": {
          "destination": ["obj-44", 0],
          "source": ["obj-19", 0]
        }
      },
      {
        "patchline": {
          "destination": ["obj-45", 0],
          "source": ["obj-44", 0]
        }
      },
      {
        "patchline": {
          "destination": ["obj-45", 0],
          "source": ["obj-8", 0]
        }
      },
      {
        "patchline": {
          "destination": ["obj-48", 0],
          "source": ["obj-47", 0]
        }
      },
      {
        "patchline": {
          "destination": ["obj-40", 0],
          "source": ["obj-48", 0]
        }
      }
    ]
  }
}
